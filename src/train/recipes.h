// SPDX-License-Identifier: Apache-2.0
// Recipes: named sets of settings. Those in recipes/ are built in; any other is a TOML file.
#pragma once

#include <string>
#include <vector>

namespace spotter {

struct Recipe {
  std::string name;
  std::string text;  // TOML
  /// The comment line at its top.
  std::string description() const;
};

const std::vector<Recipe>& BuiltinRecipes();  // sorted by name

/// By name, or from a file where there is one of that path. Throws Error(kUsage) for neither, Error(kIo).
Recipe FindRecipe(const std::string& name_or_file);

}  // namespace spotter
