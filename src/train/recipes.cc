// SPDX-License-Identifier: Apache-2.0
#include "train/recipes.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace spotter {

std::string Recipe::description() const {
  if (!text.starts_with('#')) return "";
  return std::string(Trim(std::string_view(text).substr(1, text.find('\n') - 1)));
}

const std::vector<Recipe>& BuiltinRecipes() {
  static const std::vector<Recipe> list = [] {
    std::vector<Recipe> recipes = {
#include "train/builtin_recipes.inc"
    };
    std::ranges::sort(recipes, {}, &Recipe::name);
    return recipes;
  }();
  return list;
}

Recipe FindRecipe(const std::string& name_or_file) {
  std::vector<std::string> names;
  for (const Recipe& recipe : BuiltinRecipes()) {
    if (recipe.name == name_or_file) return recipe;
    names.push_back(recipe.name);
  }
  constexpr size_t kMostBytes = 1 << 20;
  if (PathExists(name_or_file)) {
    return {std::filesystem::path(name_or_file).stem().string(), ReadFile(name_or_file, kMostBytes)};
  }
  Fail(ExitCode::kUsage, "'{}' is neither a recipe{} nor a file; the recipes are {}", name_or_file,
       DidYouMean(name_or_file, names), Join(names, ", "));
}

}  // namespace spotter
