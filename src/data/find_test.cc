// SPDX-License-Identifier: Apache-2.0
// Names: where they are looked up, in which order, and what is said when a data set can't be had.
#include "data/find.h"

#include "data/catalog.h"
#include "data/test_files.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

class Find : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }
  /// An empty file or, with a final '/', a folder.
  void Make(const std::string& name) const {
    if (name.ends_with('/')) {
      fs::create_directories(at(name));
    } else {
      WriteText(at(name), "");
    }
  }

  const TemporaryFolder folder_;
  const ScopedEnvironment cache_{"SPOTTER_CACHE", (folder_.path() / "cache").string()};
  const ScopedEnvironment data_{"SPOTTER_DATA", ""};
};

TEST_F(Find, TakesAPathAsItIs) {
  Make("some/");
  EXPECT_EQ(FindData(at("some").string(), {}), at("some"));
}

TEST_F(Find, SaysWhatIsKnownWhenNothingFits) {
  const std::string error = ErrorOf(ExitCode::kUsage, [] { FindData("cifar-10x", {}); });
  EXPECT_CONTAINS(error, "did you mean 'cifar10'?");
  EXPECT_CONTAINS(error, "fashion-mnist");
  EXPECT_CONTAINS(ErrorOf(ExitCode::kUsage, [] { FindData("", {}); }), "expected a path or one of");
}

TEST_F(Find, LooksIntoTheFolderThatSpotterDataNames) {
  for (const char* name :
       {"cifar-10-python.tar.gz", "cifar-10-binary.tar.gz", "cifar-10-batches-py/", "cifar-10-batches-bin/",
        "cifar10/", "cifar10.tar.gz", "cifar10.zip", "cifar10-jpeg/", "cifar10-jpeg.tar.gz"}) {
    Make("one/" + std::string(name));
    const ScopedEnvironment data("SPOTTER_DATA", at("one").string());
    const std::string found = FindData("cifar10", {}).string();
    EXPECT_EQ(found, (at("one") / name).string().substr(0, found.size()));
    fs::remove_all(at("one"));
  }
}

TEST_F(Find, TakesTheDataSetThatSpotterDataNames) {
  Make("cifar10-jpeg.tar.gz");
  Make("cifar-10-batches-py/");
  Make("my-own.tar.gz");
  for (const char* name : {"cifar10-jpeg.tar.gz", "cifar-10-batches-py", "my-own.tar.gz"}) {
    const ScopedEnvironment data("SPOTTER_DATA", at(name).string());
    EXPECT_EQ(FindData("cifar10", {}), at(name));
  }
}

TEST_F(Find, DoesNotTakeOneDataSetForAnother) {
  Make("cifar10-jpeg.tar.gz");
  Make("cache/datasets/fashion-mnist/fashion-mnist.zip");
  const ScopedEnvironment data("SPOTTER_DATA", at("cifar10-jpeg.tar.gz").string());
  EXPECT_EQ(FindData("fashion-mnist", {}), at("cache/datasets/fashion-mnist/fashion-mnist.zip"));
}

TEST_F(Find, SaysWhenSpotterDataDoesNotExist) {
  const ScopedEnvironment data("SPOTTER_DATA", at("nowhere").string());
  EXPECT_CONTAINS(ErrorOf(ExitCode::kIo, [] { FindData("cifar10", {}); }), "SPOTTER_DATA");
}

TEST_F(Find, TakesAnEarlierDownloadOnceItIsWhole) {
  const std::string folder = "cache/datasets/fashion-mnist/";
  const std::vector<Download>& downloads = FindInCatalog("fashion-mnist")->downloads;
  for (const Download& download : downloads) Make(folder + download.file_name);
  EXPECT_EQ(FindData("fashion-mnist", {}), at("cache/datasets/fashion-mnist"));
  Make("cache/datasets/cifar10/cifar-10-python.tar.gz");
  EXPECT_EQ(FindData("cifar10", {}), at("cache/datasets/cifar10/cifar-10-python.tar.gz"));
}

TEST_F(Find, OfflineSaysWhichFileToPutWhere) {
  // A proxy that refuses every connection: no test reaches the network.
  const ScopedEnvironment https("https_proxy", "http://127.0.0.1:9");
  const ScopedEnvironment http("http_proxy", "http://127.0.0.1:9");
  const ScopedEnvironment all("no_proxy", "");
  const std::string error = ErrorOf(ExitCode::kIo, [] { FindData("cifar10", {}); });
  for (const std::string& url : FindInCatalog("cifar10")->downloads[0].mirrors) EXPECT_CONTAINS(error, url);
  EXPECT_CONTAINS(error, at("cache/datasets/cifar10/cifar-10-python.tar.gz").string());
  EXPECT_CONTAINS(error, "SPOTTER_DATA");
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
