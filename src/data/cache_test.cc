// SPDX-License-Identifier: Apache-2.0
// The cache gives back exactly what was decoded, notices any damage and any change of the source, is never in the way,
// and does not grow for ever. The fingerprint beside it tells data sets apart by their content alone.
#include "data/cache.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>

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
  /// Loads, and gives the key of the one file that is then kept.
  std::string OnlyKey() const {
    Load();
    EXPECT_EQ(CacheFiles().size(), 1u);
    return CacheFiles().at(0).stem().string();
  }
  /// As if a file had last been used so long ago.
  static void Age(const fs::path& path, std::chrono::minutes age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
  }

  const TemporaryFolder folder_;
  const ScopedEnvironment environment_;
};

void ExpectSame(const Dataset& a, const Dataset& b) {
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.located, b.located);
  EXPECT_EQ(a.layout, b.layout);
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.resized, b.resized);
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
  const Dataset first = Load({.image_size = 11});
  EXPECT_TRUE(first.resized);
  EXPECT_EQ(first.located, source().string());
  ASSERT_EQ(CacheFiles().size(), 1u);
  const std::string key = CacheFiles()[0].stem().string();
  EXPECT_EQ(CacheFiles()[0], CachePath(key));
  EXPECT_TRUE(ReadCache(key, 1).has_value());
  ExpectSame(first, Load({.image_size = 11}));
  ExpectSame(first, Load({.image_size = 11, .use_cache = false}));
}

TEST_F(Cache, IsUsedWithoutLookingAtTheImages) {
  const std::string key = OnlyKey();
  std::optional<Dataset> other = ReadCache(key, 1);
  ASSERT_TRUE(other.has_value());
  other->names[0] = "from the cache";
  WriteCache(key, *other, 1);
  EXPECT_EQ(Load().names[0], "from the cache");
  EXPECT_NE(Load({.use_cache = false}).names[0], "from the cache");
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

// A copy that keeps times (cp -p, rsync -t, tar) over a file of the same size changes neither size nor time.
TEST_F(Cache, NoticesAChangeThatKeepsSizeAndTime) {
  Load();
  const fs::path image = source() / "train/red/1.png";
  const auto time = fs::last_write_time(image);
  WriteText(image, std::string(fs::file_size(image), 'x'));  // not an image any more
  fs::last_write_time(image, time);
  EXPECT_EQ(Load().size(), 7);
}

TEST_F(Cache, KeepsSizesAndPoliciesApart) {
  EXPECT_EQ(Load({.image_size = 10}).shape.height, 10);
  EXPECT_EQ(Load({.image_size = 12}).shape.height, 12);
  Load({.image_size = 12, .resize = ResizePolicy::kPad});
  EXPECT_EQ(CacheFiles().size(), 3u);
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
  const std::string key = OnlyKey();
  const fs::path path = CachePath(key);
  const std::string good = ReadText(path);
  for (size_t i = 0; i < good.size(); i += i < 64 ? 1 : 11) {
    std::string bad = good;
    bad[i] ^= 4;
    WriteText(path, bad);
    EXPECT_FALSE(ReadCache(key, 1).has_value()) << "byte " << i;
  }
  for (size_t length = 0; length < good.size(); length += 37) {
    WriteText(path, good.substr(0, length));
    EXPECT_FALSE(ReadCache(key, 1).has_value()) << "length " << length;
  }
  WriteText(path, good + "x");
  EXPECT_FALSE(ReadCache(key, 1).has_value());
  WriteText(path, good.substr(0, good.size() / 2));
  ExpectSame(first, Load());
  EXPECT_EQ(ReadText(path), good);
}

// Its hashes are right, so that somebody, or an error of ours, meant it.
TEST_F(Cache, RefusesWhatIsNoDataSet) {
  const std::string key = OnlyKey();
  const Dataset good = *ReadCache(key, 1);
  const auto is_read_after = [&](const std::function<void(Dataset*)>& change) {
    Dataset changed = good;
    change(&changed);
    WriteCache(key, changed, 1);
    return ReadCache(key, 1).has_value();
  };
  EXPECT_TRUE(is_read_after([](Dataset*) {}));
  EXPECT_TRUE(is_read_after([](Dataset* data) { data->labels[3] = 1; }));
  EXPECT_FALSE(is_read_after([](Dataset* data) { data->labels[3] = 2; }));
  EXPECT_FALSE(is_read_after([](Dataset* data) { data->labels[3] = -1; }));
  EXPECT_FALSE(is_read_after([](Dataset* data) { data->classes.clear(); }));
  EXPECT_FALSE(is_read_after([](Dataset* data) { data->parts[3] = static_cast<Part>(4); }));
  EXPECT_FALSE(is_read_after([](Dataset* data) { data->names.pop_back(); }));
  EXPECT_FALSE(is_read_after([](Dataset* data) { data->shape = {0, 8, 3}; }));
  EXPECT_FALSE(is_read_after([](Dataset* data) { data->shape = {8, 8, 2}; }));
  EXPECT_FALSE(is_read_after([](Dataset* data) {
    data->labels.clear();
    data->parts.clear();
    data->names.clear();
  }));
}

TEST_F(Cache, RefusesAFileOfAnotherKey) {
  fs::rename(CachePath(OnlyKey()), CachePath("0123456789abcdef"));
  EXPECT_FALSE(ReadCache("0123456789abcdef", 1).has_value());
}

TEST_F(Cache, AFileThatCanNotBeWrittenCostsOnlyAWarning) {
  WriteText(folder_.path() / "cache", "a file where the folder should be");
  std::vector<std::string> told;
  const Dataset data =
      LoadDataset(source().string(), {}, [&](const std::string& what, int64_t, int64_t) { told.push_back(what); });
  EXPECT_EQ(data.size(), 8);
  ASSERT_FALSE(told.empty());
  EXPECT_CONTAINS(told.back(), "warning");
}

TEST_F(Cache, AnArchiveIsKnownByItsContentWhereverItLies) {
  WriteArchive(folder_.path() / "x.tar", SmallDataset());
  LoadDataset((folder_.path() / "x.tar").string(), {});
  fs::rename(folder_.path() / "x.tar", folder_.path() / "y.tar");
  LoadDataset((folder_.path() / "y.tar").string(), {});
  EXPECT_EQ(CacheFiles().size(), 1u);
}

TEST_F(Cache, AnArchiveThatChangesWhileItIsReadIsNotKept) {
  const fs::path archive = folder_.path() / "x.tar";
  WriteArchive(archive, SmallDataset());
  const auto change = [&](const std::string& what, int64_t, int64_t) {
    if (what == "decoding images") fs::last_write_time(archive, fs::file_time_type::clock::now());
  };
  EXPECT_EQ(LoadDataset(archive.string(), {.threads = 1}, change).size(), 8);
  EXPECT_TRUE(CacheFiles().empty());
  LoadDataset(archive.string(), {.threads = 1});
  EXPECT_EQ(CacheFiles().size(), 1u);
}

TEST_F(Cache, RemovesTheLeastRecentlyUsedAboveItsLimit) {
  const Dataset data = *ReadCache(OnlyKey(), 1);
  const auto bytes = static_cast<int64_t>(fs::file_size(CacheFiles().at(0)));
  fs::remove(CacheFiles().at(0));
  const std::vector<std::string> keys = {"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc",
                                         "dddddddddddddddd"};
  for (size_t i = 0; i < 3; ++i) {
    WriteCache(keys[i], data, 1);
    Age(CachePath(keys[i]), std::chrono::minutes(10 - i));
  }
  EXPECT_TRUE(ReadCache(keys[0], 1).has_value());  // the oldest is now the one that was used last
  WriteCache(keys[3], data, 1, 3 * bytes);
  EXPECT_TRUE(fs::exists(CachePath(keys[0])));
  EXPECT_FALSE(fs::exists(CachePath(keys[1])));
  EXPECT_TRUE(fs::exists(CachePath(keys[2])));
  EXPECT_TRUE(fs::exists(CachePath(keys[3])));

  WriteCache(keys[1], data, 1, 1);  // what was just written stays, whatever the limit
  EXPECT_EQ(CacheFiles(), std::vector<fs::path>{CachePath(keys[1])});
}

TEST_F(Cache, AKillHalfwayCostsOneDecodingAndItsRemainsAreRemovedLater) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{600, 600};  // SIGXFSZ kills in the middle of the file
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Load({.threads = 1});
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(CacheFiles().size(), 1u);
  const fs::path leftover = CacheFiles()[0];
  EXPECT_CONTAINS(leftover.filename().string(), ".spotter-images.tmp.");

  EXPECT_EQ(Load().size(), 8);
  EXPECT_EQ(CacheFiles().size(), 2u);  // it may be another process's that is being written
  Age(leftover, std::chrono::minutes(61));
  Load({.image_size = 10});
  EXPECT_FALSE(fs::exists(leftover));
  EXPECT_EQ(CacheFiles().size(), 2u);
}

using Fingerprint = Cache;

TEST_F(Fingerprint, IsTheSameHoweverTheDataIsReadAndWhereverItLies) {
  const std::string fingerprint = Load().fingerprint;
  EXPECT_EQ(fingerprint.size(), 16u);
  EXPECT_EQ(Load().fingerprint, fingerprint);  // out of the cache
  EXPECT_EQ(Load({.use_cache = false, .threads = 3}).fingerprint, fingerprint);

  fs::last_write_time(source() / "train/red/1.png", fs::file_time_type::clock::now());
  WriteText(source() / "README.md", "It may be edited.");
  EXPECT_EQ(Load().fingerprint, fingerprint);
  fs::copy(source(), folder_.path() / "copy", fs::copy_options::recursive);
  EXPECT_EQ(LoadDataset((folder_.path() / "copy").string(), {}).fingerprint, fingerprint);
  WriteArchive(folder_.path() / "x.zip", SmallDataset("wrapper/"));
  EXPECT_EQ(LoadDataset((folder_.path() / "x.zip").string(), {}).fingerprint, fingerprint);
}

TEST_F(Fingerprint, ChangesWithTheContent) {
  std::vector<std::string> fingerprints = {Load().fingerprint, Load({.image_size = 10}).fingerprint,
                                           Load({.image_size = 12}).fingerprint,
                                           Load({.shape = {8, 8, 1}}).fingerprint};
  WriteText(source() / "test/red/1.png", DataFixture("tiny_green.png"));
  fingerprints.push_back(Load().fingerprint);
  fs::rename(source() / "test/red/1.png", source() / "test/red/2.png");
  fingerprints.push_back(Load().fingerprint);
  fs::rename(source() / "test/red/2.png", source() / "test/blue/2.png");
  fingerprints.push_back(Load().fingerprint);
  fs::rename(source() / "val", source() / "extra");
  fs::remove_all(source() / "extra");
  fingerprints.push_back(Load().fingerprint);
  std::sort(fingerprints.begin(), fingerprints.end());
  EXPECT_EQ(std::adjacent_find(fingerprints.begin(), fingerprints.end()), fingerprints.end());
}

}  // namespace
}  // namespace spotter
