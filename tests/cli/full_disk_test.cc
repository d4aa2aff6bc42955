// SPDX-License-Identifier: Apache-2.0
// A disk that fills up during a run costs nothing that was saved before.
#include <sys/mount.h>

#include "cli/cli_test.h"

namespace spotter {
namespace {

/// A file system of its own, of one megabyte.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path path) : path_(std::move(path)) {
    fs::create_directories(path_);
    mounted_ = ::mount("spotter-test", path_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

  /// Leaves so many bytes free.
  void FillUpTo(uint64_t free) const {
    std::ofstream file(path_ / "ballast", std::ios::binary);
    const uint64_t now = fs::space(path_).free;
    file << std::string(now > free ? now - free : 0, 'x');
    file.close();
    EXPECT_LE(fs::space(path_).free, free);
  }
  void Clear() const { fs::remove(path_ / "ballast"); }

 private:
  fs::path path_;
  bool mounted_ = false;
};

using FullDiskTest = CliTest;

TEST_F(FullDiskTest, AtACheckpoint) {
  const SmallDisk disk(at("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root: " << std::strerror(errno);
  MakeImageFolder(at("pictures"));
  const Words settings = {"--schedule", "constant", "--quiet"};
  Succeed(Train("pictures", settings + Words{"--epochs", "4", "--output", "reference"}));
  Succeed(Train("pictures", settings + Words{"--epochs", "1", "--output", "disk/run"}));
  const auto checkpoint = Tensors(at("disk/run/checkpoints/last.safetensors"));

  disk.FillUpTo(12 << 10);  // enough for run.json, too little for a checkpoint
  const Words go_on = {"train", "--resume", "disk/run", "--epochs", "4", "--quiet"};
  Refuse(6, go_on,
         {"disk/run/checkpoints/", ".safetensors", "No space left on device", "spotter train --resume disk/run"});
  EXPECT_EQ(Tensors(at("disk/run/checkpoints/last.safetensors")), checkpoint);
  Succeed({"evaluate", "disk/run"});
  for (const auto& entry : fs::recursive_directory_iterator(at("disk"))) {
    EXPECT_EQ(entry.path().string().find(".tmp."), std::string::npos) << entry.path();
  }

  disk.Clear();
  Succeed(go_on);
  EXPECT_EQ(Differences(at("disk/run/checkpoints/last.safetensors"), at("reference/checkpoints/last.safetensors")), "");
  EXPECT_EQ(Differences(at("disk/run/model.safetensors"), at("reference/model.safetensors")), "");
  EXPECT_EQ(ReadText(at("disk/run/predictions.csv")), ReadText(at("reference/predictions.csv")));
  EXPECT_FALSE(Json::parse(ReadText(at("disk/run/run.json"))).contains("error"));
}

TEST_F(FullDiskTest, AtTheBeginning) {
  const SmallDisk disk(at("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root: " << std::strerror(errno);
  MakeImageFolder(at("pictures"));
  disk.FillUpTo(0);
  Refuse(6, Train("pictures", {"--output", "disk/run", "--quiet"}), {"disk/run", "No space left on device"});
  EXPECT_FALSE(fs::exists(at("disk/run"))) << "an empty run was left";
  Succeed(Train("pictures", {"--output", "run", "--quiet"}));
  Refuse(6, {"evaluate", "run", "--csv", "disk/classes.csv"}, {"disk/", "No space left on device"});
  EXPECT_FALSE(fs::exists(at("disk/classes.csv")));
}

TEST_F(FullDiskTest, TheCacheDoesWithout) {
  const SmallDisk disk(at("cache"));
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small file system needs root: " << std::strerror(errno);
  MakeImageFolder(at("pictures"));
  disk.FillUpTo(0);
  const Outcome outcome = Succeed(Train("pictures", {"--output", "run", "--quiet"}));
  EXPECT_TRUE(outcome.err.starts_with("warning: ")) << outcome.err;
}

}  // namespace
}  // namespace spotter
