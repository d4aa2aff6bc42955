// SPDX-License-Identifier: Apache-2.0
// Names: where they are looked up, in which order, and what is said when a data set can't be had.
#include "data/find.h"

#include "data/test_files.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

class Find : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }
  /// A file of so many zeros or, with a final '/', a folder.
  void Make(const std::string& name, int64_t bytes = 0) const {
    if (name.ends_with('/')) {
      fs::create_directories(at(name));
    } else {
      WriteText(at(name), "");
      fs::resize_file(at(name), static_cast<uintmax_t>(bytes));
    }
  }
  static fs::path Found(const std::string& name) { return FindData(name, {}).path; }
  /// No test reaches the network: a proxy that refuses every connection.
  struct Offline {
    const ScopedEnvironment https{"https_proxy", "http://127.0.0.1:9"}, HTTPS{"HTTPS_PROXY", "http://127.0.0.1:9"};
    const ScopedEnvironment http{"http_proxy", "http://127.0.0.1:9"};
    const ScopedEnvironment no_proxy{"no_proxy", ""}, NO_PROXY{"NO_PROXY", ""};
  };

  const TemporaryFolder folder_;
  const ScopedEnvironment cache_{"SPOTTER_CACHE", (folder_.path() / "cache").string()};
  const ScopedEnvironment data_{"SPOTTER_DATA", ""};
};

TEST_F(Find, TakesAPathAsItIs) {
  Make("some/");
  EXPECT_EQ(Found(at("some").string()), at("some"));
}

TEST_F(Find, SaysWhyAPathCanNotBeLookedAt) {
  EXPECT_CONTAINS(ErrorOf(ExitCode::kIo, [] { Found(std::string(5000, 'x')); }), "File name too long");
  const ScopedEnvironment data("SPOTTER_DATA", std::string(5000, 'x'));
  EXPECT_CONTAINS(ErrorOf(ExitCode::kIo, [] { Found("cifar10"); }), "File name too long");
}

TEST_F(Find, SaysWhatIsKnownWhenNothingFits) {
  const std::string error = ErrorOf(ExitCode::kUsage, [] { Found("cifar-10x"); });
  EXPECT_CONTAINS(error, "did you mean 'cifar10'?");
  EXPECT_CONTAINS(error, "fashion-mnist");
  EXPECT_CONTAINS(ErrorOf(ExitCode::kUsage, [] { Found(""); }), "expected a path or one of");
}

TEST_F(Find, LooksIntoTheFolderThatSpotterDataNames) {
  for (const char* name :
       {"cifar-10-python.tar.gz", "cifar-10-binary.tar.gz", "cifar-10-batches-py/", "cifar-10-batches-bin/", "cifar10/",
        "cifar10.tar.gz", "cifar10.zip", "cifar10-jpeg/", "cifar10-jpeg.tar.gz"}) {
    Make("one/" + std::string(name));
    const ScopedEnvironment data("SPOTTER_DATA", at("one").string());
    const std::string whole = (at("one") / name).string();
    EXPECT_EQ(Found("cifar10").string(), whole.ends_with('/') ? whole.substr(0, whole.size() - 1) : whole);
    EXPECT_EQ(FindData("cifar10", {}).downloaded, nullptr);
    fs::remove_all(at("one"));
  }
}

TEST_F(Find, TakesTheDataSetThatSpotterDataNames) {
  Make("cifar10-jpeg.tar.gz");
  Make("cifar-10-batches-py/");
  for (const char* name : {"cifar10-jpeg.tar.gz", "cifar-10-batches-py"}) {
    const ScopedEnvironment data("SPOTTER_DATA", at(name).string());
    EXPECT_EQ(Found("cifar10"), at(name));
  }
  const ScopedEnvironment data("SPOTTER_DATA", at("cifar-10-batches-py/").string());
  EXPECT_EQ(Found("cifar10"), at("cifar-10-batches-py"));
}

TEST_F(Find, RefusesAFileThatSpotterDataNamesByAnUnknownName) {
  Make("my-own.tar.gz");
  const ScopedEnvironment data("SPOTTER_DATA", at("my-own.tar.gz").string());
  const std::string error = ErrorOf(ExitCode::kIo, [] { Found("cifar10"); });
  EXPECT_CONTAINS(error, at("my-own.tar.gz").string());
  EXPECT_CONTAINS(error, "not known as cifar10");
  for (const std::string& name : FindInCatalog("cifar10")->local_names) EXPECT_CONTAINS(error, name);
}

TEST_F(Find, DoesNotTakeOneDataSetForAnother) {
  Make("cifar10-jpeg.tar.gz");
  Make("cache/datasets/fashion-mnist/fashion-mnist.zip");
  const ScopedEnvironment data("SPOTTER_DATA", at("cifar10-jpeg.tar.gz").string());
  EXPECT_EQ(Found("fashion-mnist"), at("cache/datasets/fashion-mnist/fashion-mnist.zip"));
}

TEST_F(Find, SaysWhenSpotterDataDoesNotExist) {
  const ScopedEnvironment data("SPOTTER_DATA", at("nowhere").string());
  EXPECT_CONTAINS(ErrorOf(ExitCode::kIo, [] { Found("cifar10"); }), "SPOTTER_DATA");
}

TEST_F(Find, SaysWhatAFolderInSpotterDataLacks) {
  Make("sets/other.zip");
  const Offline offline;
  const ScopedEnvironment data("SPOTTER_DATA", at("sets").string());
  const std::string error = ErrorOf(ExitCode::kIo, [] { Found("cifar10"); });
  EXPECT_CONTAINS(error, "SPOTTER_DATA, '" + at("sets").string() + "', was looked at first and holds none of");
  for (const std::string& name : FindInCatalog("cifar10")->local_names) EXPECT_CONTAINS(error, name);
}

TEST_F(Find, TakesAnEarlierDownloadOnceItIsWhole) {
  const CatalogEntry* fashion = FindInCatalog("fashion-mnist");
  for (const Download& download : fashion->downloads) {
    Make("cache/datasets/fashion-mnist/" + download.file_name, download.bytes);
  }
  const FoundData found = FindData("fashion-mnist", {});
  EXPECT_EQ(found.path, at("cache/datasets/fashion-mnist"));
  EXPECT_EQ(found.downloaded, fashion);
  const std::string cifar = "cache/datasets/cifar10/cifar-10-python.tar.gz";
  Make(cifar, 170498071);
  EXPECT_EQ(Found("cifar10"), at(cifar));
  EXPECT_EQ(FindData("cifar10", {}).downloaded, FindInCatalog("cifar10"));
}

TEST_F(Find, NamesAnEarlierDownloadOfAnotherSize) {
  const std::string cifar = "cache/datasets/cifar10/cifar-10-python.tar.gz";
  Make(cifar, 170498070);
  const std::string error = ErrorOf(ExitCode::kIo, [] { Found("cifar10"); });
  EXPECT_CONTAINS(error, at(cifar).string());
  EXPECT_CONTAINS(error, "its size is 170,498,070 bytes, not 170,498,071; remove it");
}

TEST_F(Find, VerifiesTheChecksumsOfAnEarlierDownload) {
  const std::vector<Download>& downloads = FindInCatalog("fashion-mnist")->downloads;
  for (const Download& download : downloads) {
    Make("cache/datasets/fashion-mnist/" + download.file_name, download.bytes);
  }
  const FoundData found = FindData("fashion-mnist", {});
  const std::string error = ErrorOf(ExitCode::kIo, [&] { VerifyDownload(found, {}); });
  EXPECT_CONTAINS(error, downloads[0].file_name);
  EXPECT_CONTAINS(error, "its MD5 is ");
  EXPECT_CONTAINS(error, downloads[0].md5);
  VerifyDownload({found.path}, {});  // what did not come from the catalog has no checksum
}

TEST_F(Find, OfflineSaysWhichFileToPutWhere) {
  const Offline offline;
  const std::string error = ErrorOf(ExitCode::kIo, [] { Found("cifar10"); });
  for (const std::string& url : FindInCatalog("cifar10")->downloads[0].mirrors) EXPECT_CONTAINS(error, url);
  EXPECT_CONTAINS(error, at("cache/datasets/cifar10/cifar-10-python.tar.gz").string());
  EXPECT_CONTAINS(error, "set SPOTTER_DATA to a folder that holds cifar-10-python.tar.gz");
}

TEST(Catalog, AsksTheThrottledHostLast) {
  const Download& download = FindInCatalog("cifar10")->downloads.at(0);
  EXPECT_CONTAINS(download.mirrors.back(), "www.cs.toronto.edu");
  EXPECT_EQ(download.bytes, 170498071);
  EXPECT_EQ(FindInCatalog("cifar11"), nullptr);
  for (const CatalogEntry& entry : Catalog()) {
    for (const Download& one : entry.downloads) EXPECT_EQ(one.md5.size(), 32u);
  }
}

}  // namespace
}  // namespace spotter
