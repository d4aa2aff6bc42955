// SPDX-License-Identifier: Apache-2.0
// CIFAR-10 at full size in all its layouts: an image folder and the two official archives hold the same pictures.
// Skipped where the images, or the Python packages that write the official layouts, are not at hand.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/digest.h"
#include "data/load.h"
#include "support/test_support.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

/// What each image is, whatever it is called and wherever it stands: part, class and pixels.
std::vector<std::string> Pictures(const Dataset& data) {
  std::vector<std::string> pictures;
  for (int64_t i = 0; i < data.size(); ++i) {
    FastHash hash;
    hash.Add({reinterpret_cast<const char*>(data.image(i)), static_cast<size_t>(data.shape.size())});
    pictures.push_back(std::string(PartName(data.parts[i])) + " " + data.classes[data.labels[i]] + " " + hash.Hex());
  }
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

TEST(Cifar10Layouts, HoldTheSamePictures) {
  if (SharedData().empty()) GTEST_SKIP() << "cifar10-jpeg.tar.gz is not in ../shared/data";
  const auto python = OraclePython();
  if (!python) GTEST_SKIP() << kNoOraclePython;
  const TemporaryFolder folder;
  const fs::path jpegs = SharedData() / "cifar10-jpeg.tar.gz";
  const auto run = [](const std::string& command) { return std::system(command.c_str()); };
  ASSERT_EQ(run("tar -xzf '" + jpegs.string() + "' -C '" + folder.path().string() + "'"), 0);
  ASSERT_EQ(run("'" + python->string() + "' '" + (SharedData() / "make_official_layouts.py").string() + "' '" +
                (folder.path() / "cifar10-jpeg").string() + "' '" + folder.path().string() + "'"),
            0);

  const LoadOptions no_cache{.use_cache = false};
  const Dataset images = LoadDataset((folder.path() / "cifar10-jpeg").string(), no_cache);
  ASSERT_EQ(images.size(), 60000);
  const std::vector<std::string> expected = Pictures(images);
  for (const char* kind : {"binary", "python"}) {
    const fs::path archive = folder.path() / ("cifar-10-" + std::string(kind) + ".tar.gz");
    const Dataset data = LoadDataset(archive.string(), no_cache);
    EXPECT_EQ(data.layout, "CIFAR-10 " + std::string(kind));
    EXPECT_EQ(data.classes, images.classes);
    EXPECT_TRUE(Pictures(data) == expected) << kind;
  }
  EXPECT_EQ(LoadDataset(jpegs.string(), no_cache).fingerprint, images.fingerprint);
}

}  // namespace
}  // namespace spotter
