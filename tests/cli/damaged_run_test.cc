// SPDX-License-Identifier: Apache-2.0
// A run's folder of which something is missing, or that can't be looked into: one line that says so, before any work,
// and the folder stays as it was.
#include <csignal>
#include <functional>

#include "cli/cli_test.h"

namespace spotter {
namespace {

class DamagedRunTest : public CliTest {
 protected:
  std::map<std::string, std::string> Content() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(at("run"))) {
      if (entry.is_regular_file()) files[entry.path().string()] = ReadText(entry.path());
    }
    return files;
  }
  void RefusesToGoOn(int code, const Words& parts) const {
    const auto before = Content();
    Refuse(code, {"train", "--resume", "run", "--epochs", "3", "--quiet"}, parts);
    EXPECT_EQ(Content(), before);
  }
};

TEST_F(DamagedRunTest, WithoutItsLastCheckpoint) {
  MakeRun();
  fs::remove(at("run/checkpoints/last.safetensors"));
  RefusesToGoOn(4, {"no checkpoint 'run/checkpoints/last.safetensors'"});
}

TEST_F(DamagedRunTest, WithoutItsBestCheckpoint) {
  MakeRun();
  fs::remove(at("run/checkpoints/best.safetensors"));
  RefusesToGoOn(4, {"'run/checkpoints/best.safetensors', is missing"});
}

TEST_F(DamagedRunTest, WithoutItsCheckpointFolder) {
  MakeRun();
  fs::remove_all(at("run/checkpoints"));
  RefusesToGoOn(4, {"no checkpoint"});
}

TEST_F(DamagedRunTest, WithoutItsRecord) {
  MakeRun();
  fs::remove(at("run/run.json"));
  RefusesToGoOn(4, {"run.json is missing"});
}

// What it found until it was stopped is newer than the model that it finished with before; its results are still told.
TEST_F(DamagedRunTest, ThatWasFinishedAndIsUnderWayAgainGivesItsBestModel) {
  MakeRun();
  const Json before = Json::parse(ReadText(at("run/metrics.json")));
  Process going({SPOTTER_BINARY, "train", "--resume", "run", "--epochs", "2000", "--quiet"}, Here());
  while (going.Running() && Lines(ReadText(at("run/metrics.csv"))).size() < 8)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  going.Signal(SIGTERM);
  EXPECT_EQ(going.Wait().code, 75);
  const Json now = Json::parse(ReadText(at("run/metrics.json")));
  EXPECT_EQ(now["test"], before["test"]);
  EXPECT_EQ(now["evaluated_after_epoch"], 2);
  EXPECT_GT(now["history"].size(), 6U);
  const Json of_run = SucceedWithJson({"evaluate", "run", "--json"});
  EXPECT_EQ(of_run["loss"], SucceedWithJson({"evaluate", "run/checkpoints/best.safetensors", "--json"})["loss"]);
  EXPECT_NE(of_run["loss"], SucceedWithJson({"evaluate", "run/model.safetensors", "--json"})["loss"]);
}

// Names that TOML allows in no comment, and a shell in no bare word.
TEST_F(DamagedRunTest, NamedByAnyBytes) {
  MakeImageFolder(at("pictures"));
  for (const std::string name : {"a b",
                                 "bad\xff"
                                 "name",
                                 "new\nline", "esc\x1b"}) {
    Succeed(Train("pictures", {"--output", name, "--quiet"}));
    Succeed({"evaluate", name});
    Succeed({"train", "--resume", name, "--epochs", "3", "--quiet"});
  }
  EXPECT_TRUE(Lines(ReadText(at("a b/recipe.toml")))[0].ends_with("--recipe 'a b/recipe.toml'"));
  Refuse(2, {"evaluate", "no\nsuch"}, {"'no?such' does not exist"});
}

TEST_F(DamagedRunTest, InAFolderThatMayNotBeEntered) {
  if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  const Words as_nobody = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", SPOTTER_BINARY};
  if (RunCommand(as_nobody + Words{"--version"}, Here()).code != 0)
    GTEST_SKIP() << "other users can't run the program where it lies";
  MakeRun();
  fs::create_directory(at("locked"));
  fs::rename(at("run"), at("locked/run"));
  fs::permissions(at("locked"), fs::perms::owner_all);
  fs::permissions(folder(), fs::perms::all);
  for (const Words& arguments : std::vector<Words>{{"evaluate", "locked/run"},
                                                   {"predict", "locked/run", "pictures"},
                                                   {"train", "--resume", "locked/run"},
                                                   {"train", "pictures", "--output", "locked/other"},
                                                   {"train", "pictures", "--recipe", "locked/recipe.toml"}}) {
    ExpectRefusal(RunCommand(as_nobody + arguments, Here()), 6, {"can't look at 'locked/", "Permission denied"});
  }
}

}  // namespace
}  // namespace spotter
