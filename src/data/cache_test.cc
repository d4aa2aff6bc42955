// SPDX-License-Identifier: Apache-2.0
// The cache gives back exactly what was decoded, notices any damage and any change of the source, and is
// never in the way.
#include "data/cache.h"

#include <algorithm>

#include "data/load.h"
#include "data/test_files.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

class Cache : public testing::Test {
 protected:
  Cache() : environment_("SPOTTER_CACHE", (folder_.path() / "cache").string()) {
    NamedFiles files = SmallDataset();
    files.emplace_back("train/red/text.jpg", "this is text");
    WriteFolder(source(), files);
  }
  fs::path source() const { return folder_.path() / "data"; }
  Dataset Load(const LoadOptions& options = {}) const { return LoadDataset(source().string(), options); }
  std::vector<fs::path> CacheFiles() const {
    std::vector<fs::path> files;
    if (!fs::exists(folder_.path() / "cache")) return files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "cache")) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }

  const TemporaryFolder folder_;
  const ScopedEnvironment environment_;
};

void ExpectSame(const Dataset& a, const Dataset& b) {
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.layout, b.layout);
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.parts, b.parts);
  EXPECT_EQ(a.names, b.names);
  ASSERT_EQ(a.skipped.size(), b.skipped.size());
  for (size_t i = 0; i < a.skipped.size(); ++i) {
    EXPECT_EQ(a.skipped[i].name, b.skipped[i].name);
    EXPECT_EQ(a.skipped[i].reason, b.skipped[i].reason);
  }
  EXPECT_TRUE(std::equal(a.image(0), a.image(a.size()), b.image(0), b.image(b.size())));
}

TEST_F(Cache, GivesBackWhatWasDecoded) {
  const Dataset first = Load();
  ASSERT_EQ(CacheFiles().size(), 1u);
  EXPECT_EQ(CacheFiles()[0].filename(), first.fingerprint + ".spotter-images");
  const std::optional<Dataset> cached = ReadCache(CacheFiles()[0], first.fingerprint, 1);
  ASSERT_TRUE(cached.has_value());
  ExpectSame(first, Load());
}

TEST_F(Cache, IsUsedWithoutLookingAtTheImages) {
  Load();
  const fs::path image = source() / "train/red/1.png";
  const auto time = fs::last_write_time(image);
  WriteText(image, std::string(fs::file_size(image), 'x'));  // the same size and time: not an image any more
  fs::last_write_time(image, time);
  EXPECT_EQ(Load().size(), 8);
  EXPECT_EQ(Load({.use_cache = false}).size(), 7);
}

TEST_F(Cache, NoticesAChangedAnAddedAndAMissingFile) {
  Load();
  WriteText(source() / "train/red/3.png", DataFixture("tiny_red.png"));
  EXPECT_EQ(Load().size(), 9);
  fs::remove(source() / "train/red/2.png");
  EXPECT_EQ(Load().size(), 8);
  WriteText(source() / "train/red/1.png", DataFixture("tiny_green.png"));
  const Dataset data = Load();
  EXPECT_EQ(data.image(2)[1], 200);
  EXPECT_EQ(CacheFiles().size(), 4u);
}

TEST_F(Cache, KeepsSizesAndPoliciesApart) {
  EXPECT_EQ(Load({.image_size = 10}).shape.height, 10);
  EXPECT_EQ(Load({.image_size = 12}).shape.height, 12);
  EXPECT_NE(Load({.image_size = 12}).fingerprint,
            Load({.image_size = 12, .resize = ResizePolicy::kPad}).fingerprint);
  EXPECT_EQ(Load({.image_size = 10}).shape.height, 10);
  EXPECT_EQ(Load({.shape = {9, 9, 1}}).shape, (ImageShape{9, 9, 1}));
  EXPECT_EQ(Load({.shape = {9, 9, 3}}).shape, (ImageShape{9, 9, 3}));
}

TEST_F(Cache, KeepsStrictStrict) {
  Load();
  EXPECT_CONTAINS(ErrorOf(ExitCode::kData, [&] { Load({.strict = true}); }), "train/red/text.jpg");
}

TEST_F(Cache, NoticesDamageOfEveryByteAndMakesItAnew) {
  const Dataset first = Load();
  const fs::path path = CacheFiles().at(0);
  const std::string good = ReadText(path);
  for (size_t i = 0; i < good.size(); i += i < 64 ? 1 : 11) {
    std::string bad = good;
    bad[i] ^= 4;
    WriteText(path, bad);
    EXPECT_FALSE(ReadCache(path, first.fingerprint, 1).has_value()) << "byte " << i;
  }
  for (size_t length = 0; length < good.size(); length += 37) {
    WriteText(path, good.substr(0, length));
    EXPECT_FALSE(ReadCache(path, first.fingerprint, 1).has_value()) << "length " << length;
  }
  WriteText(path, good + "x");
  EXPECT_FALSE(ReadCache(path, first.fingerprint, 1).has_value());
  WriteText(path, good.substr(0, good.size() / 2));
  ExpectSame(first, Load());
  EXPECT_EQ(ReadText(path), good);
}

TEST_F(Cache, RefusesAFileOfAnotherFingerprint) {
  const Dataset first = Load();
  EXPECT_FALSE(ReadCache(CacheFiles().at(0), "0123456789abcdef", 1).has_value());
}

TEST_F(Cache, AFileThatCanNotBeWrittenCostsOnlyAWarning) {
  WriteText(folder_.path() / "cache", "a file where the folder should be");
  std::vector<std::string> told;
  const Dataset data = LoadDataset(source().string(), {},
                                   [&](const std::string& what, int64_t, int64_t) { told.push_back(what); });
  EXPECT_EQ(data.size(), 8);
  ASSERT_FALSE(told.empty());
  EXPECT_CONTAINS(told.back(), "warning");
}

TEST_F(Cache, AnArchiveIsKnownByItsContentWhereverItLies) {
  WriteArchive(folder_.path() / "x.tar", SmallDataset());
  const std::string fingerprint = LoadDataset((folder_.path() / "x.tar").string(), {}).fingerprint;
  fs::rename(folder_.path() / "x.tar", folder_.path() / "y.tar");
  EXPECT_EQ(LoadDataset((folder_.path() / "y.tar").string(), {}).fingerprint, fingerprint);
  EXPECT_EQ(CacheFiles().size(), 1u);
}

}  // namespace
}  // namespace spotter
