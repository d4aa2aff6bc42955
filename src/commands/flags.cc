// SPDX-License-Identifier: Apache-2.0
#include "commands/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"

namespace spotter {
namespace {

std::string TypeName(const Option& option) {
  if (!option.choices.empty()) return Join(option.choices, "|");
  if (std::holds_alternative<std::string*>(option.target)) return "TEXT";
  return std::holds_alternative<int64_t*>(option.target) ? "N" : "X";
}

}  // namespace

bool WasGiven(const GivenFlags& given, const std::string& name) {
  return std::any_of(given.begin(), given.end(), [&](const auto& flag) { return flag.first == name; });
}

std::vector<Option> OnlyOptions(std::vector<Option> options, const std::set<std::string>& names) {
  std::erase_if(options, [&](const Option& option) { return !names.contains(option.name); });
  return options;
}

std::shared_ptr<GivenFlags> AddFlags(CLI::App& app, const std::vector<Option>& options) {
  auto given = std::make_shared<GivenFlags>();
  for (const Option& option : options) {
    const std::string name = option.name;
    CLI::Option* flag = nullptr;
    if (std::holds_alternative<bool*>(option.target)) {
      // --flip, --no-flip, and also --flip=false: CLI11 makes each of them a text.
      flag = app.add_flag("--" + name + ",!--no-" + name)
                 ->description(option.help + " [" + OptionText(option) + "]")
                 ->each([given, name](const std::string& text) { given->emplace_back(name, text); });
    } else {
      flag =
          app.add_option_function<std::string>(
                 "--" + name, [given, name](const std::string& text) { given->emplace_back(name, text); }, option.help)
              ->take_last()
              ->type_name(TypeName(option))
              ->default_str(OptionText(option));
    }
    if (!option.group.empty()) flag->group(option.group);
  }
  return given;
}

void ApplyFlags(const GivenFlags& given, const std::vector<Option>& options) {
  for (const auto& [name, text] : given) {
    SetOption(*std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == name; }), text);
  }
}

}  // namespace spotter
