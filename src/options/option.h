// SPDX-License-Identifier: Apache-2.0
// An option: declared once, bound to the variable that it sets. Command line, recipes (TOML), JSON, help and
// docs/options.md all come from such declarations.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"

namespace spotter {

struct Option {
  /// The flag without its dashes, which is also the key in a recipe: "learning-rate".
  std::string name;
  /// The variable; its value at declaration is the default.
  std::variant<bool*, int64_t*, double*, std::string*> target;
  std::string help;
  double least = std::numeric_limits<double>::lowest();  // numbers: the allowed range, both ends included
  double most = std::numeric_limits<double>::max();
  std::vector<std::string> choices = {};  // texts: the allowed words; empty allows any
  std::string group = {};                 // heading in the help
  bool on_resume = false;                 // may be given together with --resume
};

/// Sets the variable from text, as typed on a command line; booleans take true and false.
/// Throws Error(kUsage): "--batch-size 0: expected a whole number from 1 to 1000000".
void SetOption(const Option& option, const std::string& text);

/// Sets the variable from a JSON (or TOML) value of its own type; whole numbers pass for numbers. Throws Error(kUsage).
void SetOption(const Option& option, const Json& value);

/// The variable's value now.
Json OptionValue(const Option& option);
std::string OptionText(const Option& option);   // as one would type it
std::string OptionRange(const Option& option);  // "a whole number from 1 to 1000000", "adam, adamw or sgd"

/// Reads a recipe's TOML text into the options. Unknown keys are errors with a suggestion; `where` names the recipe in
/// them.
void ReadToml(const std::string& text, const std::string& where, const std::vector<Option>& options);

/// All options as TOML, grouped, each behind its help as a comment when `with_help`.
std::string WriteToml(const std::vector<Option>& options, bool with_help);

}  // namespace spotter
