// SPDX-License-Identifier: Apache-2.0
// Declared options (options/option.h) as flags of a command.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "options/option.h"

namespace CLI {
class App;
}

namespace spotter {

/// The flags that the user gave, as text, in order; applied after a recipe, so that they win.
using GivenFlags = std::vector<std::pair<std::string, std::string>>;

bool WasGiven(const GivenFlags& given, const std::string& name);

/// Those of the options that bear one of the names, in their order.
std::vector<Option> OnlyOptions(std::vector<Option> options, const std::set<std::string>& names);

/// Adds a flag for each option; what is given on the command line lands in the result.
std::shared_ptr<GivenFlags> AddFlags(CLI::App& app, const std::vector<Option>& options);

/// Sets the options that were given. Throws Error(kUsage).
void ApplyFlags(const GivenFlags& given, const std::vector<Option>& options);

}  // namespace spotter
