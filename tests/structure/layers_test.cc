// SPDX-License-Identifier: Apache-2.0
// The rules of the tree that a compiler does not know: layers look only down, files stay small, every file says what it
// is.
#include <algorithm>
#include <map>
#include <regex>
#include <vector>

#include "support/test_support.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

/// The height of each folder of src/, from src/LAYERS; folders on one line have the same.
std::map<std::string, int> ReadLayers() {
  std::map<std::string, int> height;
  std::istringstream file(ReadText(SourceFolder() / "src" / "LAYERS"));
  int line_number = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++line_number;
    std::istringstream words(line);
    for (std::string folder; words >> folder;) height[folder] = line_number;
  }
  return height;
}

std::vector<fs::path> Sources() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(SourceFolder() / "src")) {
    const auto extension = entry.path().extension();
    if (extension == ".h" || extension == ".cc") files.push_back(entry.path());
  }
  return files;
}

std::string FolderOf(const fs::path& file) { return fs::relative(file, SourceFolder() / "src").begin()->string(); }

TEST(Layers, EveryFolderHasItsPlace) {
  const auto height = ReadLayers();
  for (const auto& entry : fs::directory_iterator(SourceFolder() / "src")) {
    if (entry.is_directory()) {
      EXPECT_TRUE(height.contains(entry.path().filename().string())) << entry.path() << " is not in src/LAYERS";
    }
  }
}

TEST(Layers, NoFileIncludesOneOfAHigherLayerOrOfTheSame) {
  const auto height = ReadLayers();
  const std::regex include(R"re(#include "([a-z_]+)/[a-z_0-9]+\.(h|inc)")re");
  for (const fs::path& file : Sources()) {
    const std::string own = FolderOf(file);
    if (!height.contains(own)) continue;  // main.cc
    const std::string text = ReadText(file);
    for (std::sregex_iterator match(text.begin(), text.end(), include), end; match != end; ++match) {
      const std::string other = (*match)[1];
      if (other == own || other == "support") continue;  // support: of the tests
      ASSERT_TRUE(height.contains(other)) << file << " includes " << match->str();
      EXPECT_LT(height.at(other), height.at(own)) << file << " of layer '" << own << "' includes " << match->str();
    }
  }
}

TEST(Layers, TensorsStayOutOfTheLowerOnes) {
  for (const fs::path& file : Sources()) {
    const std::string own = FolderOf(file);
    if (own != "base" && own != "options" && own != "draw" && own != "data" && own != "augment") continue;
    EXPECT_EQ(ReadText(file).find("#include <ATen"), std::string::npos) << file;
  }
}

TEST(Files, NameTheirLicenceFirst) {
  for (const fs::path& file : Sources()) {
    EXPECT_TRUE(ReadText(file).starts_with("// SPDX-License-Identifier: Apache-2.0\n")) << file;
  }
}

TEST(Files, StaySmallEnoughToHoldOneIdea) {
  for (const fs::path& file : Sources()) {
    const std::string text = ReadText(file);
    const bool test = file.filename().string().ends_with("_test.cc");
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), test ? 600 : 300) << file;
  }
}

}  // namespace
}  // namespace spotter
