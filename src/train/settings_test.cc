// SPDX-License-Identifier: Apache-2.0
// Settings, as options, through TOML and back; and the recipes that are built in.
#include "train/settings.h"

#include <set>

#include "base/error.h"
#include "support/test_support.h"
#include "train/recipes.h"

namespace spotter {
namespace {

/// A value that is none of the defaults, in range.
void SetToAnotherValue(const Option& option) {
  if (bool* const* flag = std::get_if<bool*>(&option.target)) {
    **flag = !**flag;
  } else if (int64_t* const* whole = std::get_if<int64_t*>(&option.target)) {
    **whole = option.name == "seed" ? 9'000'000'000'000'000 : **whole + (option.name == "views" ? 5 : 7);
  } else if (double* const* number = std::get_if<double*>(&option.target)) {
    // Doubles without a short decimal: 0.1 + 0.2 is 0.30000000000000004.
    **number = option.most < 1 ? (0.1 + 0.2) / 3 : option.least > 0 ? option.least * 3.3333333333333335 : 1e-7 / 3;
  } else {
    std::string& text = *std::get<std::string*>(option.target);
    if (option.choices.empty()) {
      text = "a \"quoted\" \\ text = 'x', ü # not a comment\n\ttab\x7f";
    } else {
      text = text == option.choices.back() ? option.choices.front() : option.choices.back();
    }
  }
}

TEST(TrainOptions, ComeBackFromTomlExactly) {
  TrainSettings written, defaults, read;
  for (const Option& option : TrainOptions(written)) SetToAnotherValue(option);
  for (const bool with_help : {false, true}) {
    ReadToml(WriteToml(TrainOptions(written), with_help), "test", TrainOptions(read));
    const auto a = TrainOptions(written), b = TrainOptions(read), c = TrainOptions(defaults);
    ASSERT_GT(a.size(), 30u);
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(OptionValue(a[i]), OptionValue(b[i])) << a[i].name;
      EXPECT_NE(OptionValue(b[i]), OptionValue(c[i])) << a[i].name << " was not changed by the test";
    }
    read = {};
  }
}

TEST(TrainOptions, EveryDefaultIsWithinItsRange) {
  TrainSettings settings, read;
  ReadToml(WriteToml(TrainOptions(settings), true), "defaults", TrainOptions(read));
}

TEST(TrainOptions, HaveNamesHelpAndAVariableOfTheirOwn) {
  TrainSettings settings;
  std::set<std::string> names;
  std::set<const void*> targets;
  for (const Option& option : TrainOptions(settings)) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_TRUE(
        targets.insert(std::visit([](auto* target) { return static_cast<const void*>(target); }, option.target)).second)
        << option.name;
    EXPECT_FALSE(option.help.empty()) << option.name;
    EXPECT_FALSE(option.group.empty()) << option.name;
  }
}

// Resuming may change what does not alter the mathematics of the steps that were done.
TEST(TrainOptions, OnlyTheseMayChangeOnResume) {
  TrainSettings settings;
  std::set<std::string> names;
  for (const Option& option : TrainOptions(settings)) {
    if (option.on_resume) names.insert(option.name);
  }
  EXPECT_EQ(names, (std::set<std::string>{"epochs", "early-stopping", "device", "precision", "threads"}));
}

TEST(Recipes, EveryBuiltInOneIsReadWithoutErrors) {
  ASSERT_GE(BuiltinRecipes().size(), 5u);
  for (const Recipe& recipe : BuiltinRecipes()) {
    TrainSettings settings;
    ReadToml(recipe.text, recipe.name, TrainOptions(settings));
    EXPECT_FALSE(recipe.description().empty()) << recipe.name;
    EXPECT_EQ(recipe.text, ReadText(SourceFolder() / "recipes" / (recipe.name + ".toml")));
    EXPECT_EQ(FindRecipe(recipe.name).text, recipe.text);
  }
}

TEST(Recipes, AreFilesToo) {
  TemporaryFolder folder;
  WriteText(folder.path() / "my own.toml", "epochs = 3\n");
  const Recipe recipe = FindRecipe((folder.path() / "my own.toml").string());
  EXPECT_EQ(recipe.name, "my own");
  EXPECT_EQ(recipe.text, "epochs = 3\n");
  EXPECT_EQ(recipe.description(), "");
}

TEST(Recipes, AWordThatIsNeitherSuggests) {
  try {
    FindRecipe("seed-01");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("did you mean 'seed-001'?"), std::string::npos) << error.what();
  }
}

TEST(Recipes, AFolderIsAnIoError) {
  TemporaryFolder folder;
  try {
    FindRecipe(folder.path().string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
  }
}

}  // namespace
}  // namespace spotter
