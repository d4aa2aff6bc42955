// SPDX-License-Identifier: Apache-2.0
// spotter recipes: the recipes known by name, or the text of one.
#include "train/recipes.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "commands/command.h"
#include "train/settings.h"

namespace spotter {
namespace {

int Run(const std::string& name) {
  if (name == "default") {
    TrainSettings settings;
    std::printf("# Every option with its default and its meaning\n%s",
                WriteToml(TrainOptions(settings), /*with_help=*/true).c_str());
    return 0;
  }
  if (!name.empty()) {
    std::printf("%s", FindRecipe(name).text.c_str());
    return 0;
  }
  for (const Recipe& recipe : BuiltinRecipes())
    std::printf("%-10s %s\n", recipe.name.c_str(), recipe.description().c_str());
  std::printf("\n`spotter recipes NAME` prints one, `spotter recipes default` every option with its default.\n");
  return 0;
}

}  // namespace

Command RecipesCommand() {
  return {"recipes", "List the recipes known by name, or print one",
          "  spotter recipes\n  spotter recipes seed-003 > mine.toml     then edit it: spotter train DATA "
          "--recipe mine.toml",
          [](CLI::App& app) {
            auto name = std::make_shared<std::string>();
            app.add_option("name", *name, "a recipe's name, or default");
            return [name] { return Run(*name); };
          }};
}

}  // namespace spotter
