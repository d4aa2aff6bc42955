// SPDX-License-Identifier: Apache-2.0
// What the documentation says is what the program does.
#include "cli/cli_test.h"

namespace spotter {
namespace {

using DocsTest = CliTest;

TEST_F(DocsTest, TheListsAreTheProgramsOwn) {
  const auto expect_holds = [&](const std::string& page, const std::string& list) {
    EXPECT_NE(ReadText(SourceFolder() / "docs" / page).find(list), std::string::npos)
        << "docs/" << page << " is out of date; scripts/update-docs writes it";
  };
  expect_holds("options.md", "```toml\n" + Succeed({"recipes", "default"}).out + "```\n");
  expect_holds("models.md", "```\n" + Succeed({"models"}).out + "```\n");
}

/// Each flag that stands behind a `spotter COMMAND` in a code block of the README is one that the command's help knows.
TEST_F(DocsTest, TheReadmesCommandsExist) {
  int checked = 0;
  for (const std::string& line : Lines(ReadText(SourceFolder() / "README.md"))) {
    if (!line.starts_with("spotter ")) continue;
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word, command;
    words >> word >> command;
    const std::string help = Succeed({command, "--help"}).out;
    while (words >> word) {
      if (!word.starts_with("--")) continue;
      EXPECT_NE(help.find(word + " "), std::string::npos) << line;
      ++checked;
    }
  }
  EXPECT_GE(checked, 2);
}

}  // namespace
}  // namespace spotter
