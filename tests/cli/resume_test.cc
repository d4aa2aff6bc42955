// SPDX-License-Identifier: Apache-2.0
// A run that is stopped or killed and goes on is, bit for bit, the run that was never stopped.
#include <functional>
#include <memory>
#include <random>

#include "cli/cli_test.h"

namespace spotter {
namespace {

class ResumeTest : public CliTest {
 protected:
  void SetUp() override { MakeImageFolder(at("pictures"), {.each = 50, .side = 32}); }

  /// Four epochs of fifteen steps, with all that a run carries from step to step: moments, running means,
  /// dropout, augmentation, a schedule.
  static Words Command(const std::string& run, const Words& more = {}) {
    return Words{"train",
                 "pictures",
                 "--output",
                 run,
                 "--model",
                 "conv 16 relu, batchnorm, conv 16 relu, maxpool 2, dropout 0.2, flatten, dense 32 relu, "
                 "dropout 0.5, dense classes",
                 "--threads",
                 "1",
                 "--batch-size",
                 "8",
                 "--epochs",
                 "4",
                 "--optimizer",
                 "adamw",
                 "--weight-decay",
                 "0.01",
                 "--schedule",
                 "cosine",
                 "--warmup-epochs",
                 "1",
                 "--flip",
                 "--shift",
                 "2",
                 "--quiet"} +
           more;
  }
  std::unique_ptr<Process> Start(const Words& arguments) const {
    return std::make_unique<Process>(Words{SPOTTER_BINARY} + arguments, Here());
  }

  /// Waits until `ready`, or until the process ends; true when it still runs.
  static bool Await(Process& process, const std::function<bool()>& ready) {
    while (process.Running() && !ready()) {
      if (process.Seconds() > 60) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return process.Running();
  }
  size_t EpochsOf(const std::string& run) const {
    const size_t lines = Lines(ReadText(at(run) / "metrics.csv")).size();
    return lines == 0 ? 0 : lines - 1;
  }
  /// The columns of metrics.csv that don't tell times.
  Table History(const std::string& run) const {
    Table table = ReadCsv(ReadText(at(run) / "metrics.csv"));
    for (Words& row : table) row.resize(6);
    EXPECT_EQ(table.at(0).back(), "learning_rate");
    return table;
  }
  /// The result on the test images, with the temperature that was fitted at the end.
  Json Test(const std::string& run) const {
    const Json test = Json::parse(ReadText(at(run) / "metrics.json"))["test"];
    EXPECT_TRUE(test["calibration"].contains("temperature"));
    return test;
  }
  void ExpectSameRun(const std::string& run, const std::string& reference) const {
    EXPECT_EQ(Differences(at(run) / "checkpoints/last.safetensors", at(reference) / "checkpoints/last.safetensors"), "")
        << run;
    EXPECT_EQ(Differences(at(run) / "model.safetensors", at(reference) / "model.safetensors"), "") << run;
    EXPECT_EQ(ReadText(at(run) / "predictions.csv"), ReadText(at(reference) / "predictions.csv")) << run;
    EXPECT_EQ(Test(run), Test(reference)) << run;
    EXPECT_EQ(History(run), History(reference)) << run;
    EXPECT_EQ(Json::parse(ReadText(at(run) / "run.json"))["status"], "finished");
    for (const auto& entry : fs::recursive_directory_iterator(at(run))) {
      EXPECT_EQ(entry.path().filename().string().find(".tmp."), std::string::npos)
          << "a temporary file was left: " << entry.path();
    }
  }
  static void ExpectWhole(const fs::path& path) {
    uint64_t end = 0;
    const std::string content = ReadText(path);
    uint64_t length = 0;
    ASSERT_GT(content.size(), sizeof length) << path;
    std::memcpy(&length, content.data(), sizeof length);
    ASSERT_LE(length, content.size() - sizeof length) << path;
    const Json header = Json::parse(content.substr(sizeof length, length));
    for (const auto& [name, value] : header.items()) {
      if (name != "__metadata__") end = std::max(end, value["data_offsets"][1].get<uint64_t>());
    }
    EXPECT_EQ(content.size(), sizeof length + length + end) << path << " is only half written";
  }
  bool HalfWritten(const std::string& run) const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(at(run) / "checkpoints", ignored)) {
      if (entry.path().filename().string().starts_with('.')) return true;
    }
    return false;
  }
};

// The important one. Kills fall at times spread over the whole run, start-up and the last evaluation
// included, several in one run.
TEST_F(ResumeTest, KilledAtAnyTime) {
  const Outcome whole = Succeed(Command("reference"));
  std::mt19937 random(2026);
  constexpr int kLeastKills = 16;
  int kills = 0;
  int stops = 0;
  for (int number = 0; kills < kLeastKills && number < 40; ++number) {
    const std::string run = "run-" + std::to_string(number);
    auto process = Start(Command(run));
    for (int blow = 0; process->Running(); ++blow) {
      // Up to four blows a run; the later ones come early in their process, else the run would end before
      // them.
      const double share =
          (blow == 0 ? 0.25 + 0.8 * (number % 8) / 8.0 : 0.4) + 0.3 * static_cast<double>(random() % 100) / 100;
      const bool in_writing = random() % 3 == 0;
      const bool gently = random() % 4 == 0;
      Await(*process, [&] {
        return blow < 4 && (in_writing ? fs::exists(at(run) / "run.json") && HalfWritten(run)
                                       : process->Seconds() > share * whole.seconds);
      });
      process->Signal(gently ? SIGTERM : SIGKILL);
      const Outcome outcome = process->Wait();
      if (outcome.signal == 0 && outcome.code == 0) break;
      if (outcome.signal == SIGKILL) ++kills;
      if (outcome.code == 75) ++stops;
      ASSERT_TRUE(outcome.signal == SIGKILL || outcome.signal == SIGTERM || outcome.code == 75)
          << outcome.code << outcome.err;
      if (!fs::exists(at(run) / "run.json")) {  // before the run began there is nothing to resume
        fs::remove_all(at(run));
        process = Start(Command(run));
      } else if (Json::parse(ReadText(at(run) / "run.json"))["status"] == "finished") {
        break;
      } else {
        process = Start({"train", "--resume", run, "--quiet"});
      }
    }
    ExpectSameRun(run, "reference");
    if (HasFailure()) return;
  }
  EXPECT_GE(kills, kLeastKills);
  RecordProperty("kills", kills);
  RecordProperty("stops", stops);
  std::printf("%d kills and %d stops\n", kills, stops);
}

// Checkpoints of 19 MB, so that the kill comes while one is written: the one before it must still be whole.
TEST_F(ResumeTest, KilledWhileACheckpointIsWritten) {
  const Words large = {"--model", "flatten, dense 512 relu, dense classes", "--batch-size", "60", "--epochs", "6"};
  Succeed(Command("reference", large));
  /// The files of this name and those on their way to it, with their sizes.
  const auto sizes = [&](const std::string& name) {
    std::map<std::string, uint64_t> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(at("run/checkpoints"), ignored)) {
      const std::string file = entry.path().filename().string();
      if (file.find(name) == std::string::npos) continue;
      const auto size = fs::file_size(entry.path(), ignored);
      found[file] = ignored ? 0 : size;
    }
    return found;
  };
  auto process = Start(Command("run", large));
  int kills = 0;
  for (; kills < 10; ++kills) {
    const std::string name = kills % 2 == 0 ? "last.safetensors" : "best.safetensors";
    const bool existed = fs::exists(at("run/checkpoints") / name);
    // The first change is that a file appears; the next ones, that it grows.
    for (int change = 0; change <= kills % 3; ++change) {
      const auto before = sizes(name);
      if (!Await(*process, [&] { return sizes(name) != before; })) break;
    }
    if (!process->Running()) break;
    process->Signal(SIGKILL);
    process->Wait();
    for (const char* file : {"last.safetensors", "best.safetensors"}) {
      if (fs::exists(at("run/checkpoints") / file)) ExpectWhole(at("run/checkpoints") / file);
    }
    if (existed) EXPECT_TRUE(fs::exists(at("run/checkpoints") / name));
    process = Start({"train", "--resume", "run", "--quiet"});
  }
  EXPECT_EQ(process->Wait().code, 0);
  EXPECT_GE(kills, 4);
  ExpectSameRun("run", "reference");
}

TEST_F(ResumeTest, KilledBeforeTheFirstCheckpoint) {
  const Words long_epochs = {"--batch-size", "1", "--epochs", "2"};  // so that the kill comes within the first
  Succeed(Command("reference", long_epochs));
  auto process = Start(Command("run", long_epochs));
  ASSERT_TRUE(Await(*process, [&] { return fs::exists(at("run/run.json")); }));
  process->Signal(SIGKILL);
  process->Wait();
  ASSERT_FALSE(fs::exists(at("run/checkpoints/last.safetensors"))) << "the kill came too late for this test";
  Succeed({"train", "--resume", "run", "--quiet"});
  ExpectSameRun("run", "reference");

  // Even earlier: a folder and no more. There is nothing to resume, and the message says so.
  fs::create_directories(at("early/checkpoints"));
  Refuse(2, {"train", "--resume", "early"}, {"'early'", "before it began", "start it anew"});
}

TEST_F(ResumeTest, SignalsStopARunThatGoesOnLater) {
  Succeed(Command("reference"));
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string run = signal == SIGINT ? "interrupted" : "terminated";
    auto process = Start(Command(run));
    ASSERT_TRUE(Await(*process, [&] { return EpochsOf(run) >= 1; }));
    const double before = process->Seconds();
    process->Signal(signal);
    const Outcome outcome = process->Wait();
    EXPECT_EQ(outcome.code, 75) << outcome.err;
    EXPECT_LT(outcome.seconds - before, 5);
    EXPECT_NE(outcome.err.find("spotter train --resume " + run), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(Json::parse(ReadText(at(run) / "run.json"))["status"], "stopped");
    Succeed({"train", "--resume", run, "--quiet"});
    ExpectSameRun(run, "reference");
  }
}

TEST_F(ResumeTest, JsonTellsThatItWasStopped) {
  auto process = Start(Command("run", {"--json"}));
  ASSERT_TRUE(Await(*process, [&] { return EpochsOf("run") >= 1; }));
  process->Signal(SIGTERM);
  const Outcome outcome = process->Wait();
  EXPECT_EQ(outcome.code, 75);
  EXPECT_EQ(Json::parse(Lines(outcome.out).back())["event"], "stopped");
}

TEST_F(ResumeTest, ASecondInterruptEndsAtOnce) {
  // One step of this run takes long, so that the second signal comes within it.
  const Words slow = {"train",
                      "pictures",
                      "--output",
                      "run",
                      "--quiet",
                      "--threads",
                      "1",
                      "--image-size",
                      "96",
                      "--batch-size",
                      "120",
                      "--precision",
                      "fp32",
                      "--model",
                      "conv 128 relu, conv 128 relu, conv 128 relu, flatten, dense classes"};
  auto process = Start(slow);
  ASSERT_TRUE(Await(*process, [&] { return fs::exists(at("run/run.json")); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  process->Signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double before = process->Seconds();
  process->Signal(SIGINT);
  const Outcome outcome = process->Wait();
  EXPECT_EQ(outcome.signal, SIGINT) << outcome.code << outcome.err;
  EXPECT_LT(outcome.seconds - before, 2);
}

TEST_F(ResumeTest, MoreEpochsThanFirstAsked) {
  Succeed(Command("run", {"--schedule", "constant", "--epochs", "2"}));
  Refuse(2, {"train", "--resume", "run"}, {"has finished its 2 epochs", "--epochs N"});
  Refuse(2, {"train", "--resume", "run", "--epochs", "1"}, {"has finished its 2 epochs"});
  Succeed({"train", "--resume", "run", "--epochs", "4", "--quiet"});
  EXPECT_EQ(EpochsOf("run"), 4U);
  Succeed(Command("straight", {"--schedule", "constant"}));
  ExpectSameRun("run", "straight");
}

TEST_F(ResumeTest, ARunThatStoppedEarlyGoesOnAsItSays) {
  // A learning rate of almost nothing: no epoch is better than the first by more than noise, and patience ends soon.
  const Outcome early =
      Succeed(Command("run", {"--schedule", "constant", "--warmup-epochs", "0", "--learning-rate", "1e-12", "--monitor",
                              "validation-accuracy", "--early-stopping", "1", "--epochs", "9"}));
  const size_t done = EpochsOf("run");
  ASSERT_LT(done, 9U) << "this test needs a run that stops early";
  EXPECT_NE(early.out.find("Stopped early after"), std::string::npos) << early.out;
  EXPECT_NE(early.out.find("--resume run --early-stopping 2"), std::string::npos) << early.out;
  Refuse(2, {"train", "--resume", "run"}, {"stopped early", "--early-stopping"});
  Refuse(2, {"train", "--resume", "run", "--epochs", "20"}, {"stopped early", "--early-stopping"});
  Succeed({"train", "--resume", "run", "--early-stopping", "0", "--quiet"});
  EXPECT_EQ(EpochsOf("run"), 9U);
}

TEST_F(ResumeTest, FewerEpochsThanDoneAreRefused) {
  auto process = Start(Command("run"));
  ASSERT_TRUE(Await(*process, [&] { return EpochsOf("run") >= 2; }));
  process->Signal(SIGKILL);
  process->Wait();
  const std::string record = ReadText(at("run/run.json"));
  Refuse(2, {"train", "--resume", "run", "--epochs", "1", "--quiet"}, {"--epochs 1", "has done"});
  EXPECT_EQ(ReadText(at("run/run.json")), record);
}

TEST_F(ResumeTest, AScheduleThatIsStretchedIsNoted) {
  Succeed(Command("run", {"--epochs", "1", "--freeze-through", "conv_1"}));
  const Outcome outcome = Succeed({"train", "--resume", "run", "--epochs", "2", "--quiet"});
  EXPECT_NE(outcome.err.find("note: the cosine schedule, made for 1 epochs, is stretched to 2"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("the layers through conv_1 stop learning after 1 epochs, not 0.5"), std::string::npos)
      << outcome.err;
}

// Two threads divide the work between them; the promise is for them too.
TEST_F(ResumeTest, TwoThreadsInEitherPrecision) {
  for (const char* precision : {"fp32", "auto"}) {
    const Words two = {"--threads", "2", "--precision", precision};
    const std::string reference = std::string("reference-") + precision, run = std::string("run-") + precision;
    Succeed(Command(reference, two));
    auto process = Start(Command(run, two));
    for (const size_t epochs : {1, 3}) {
      if (!Await(*process, [&] { return EpochsOf(run) >= epochs; })) break;
      process->Signal(SIGKILL);
      process->Wait();
      process = Start({"train", "--resume", run, "--quiet"});
    }
    EXPECT_EQ(process->Wait().code, 0);
    ExpectSameRun(run, reference);
  }
}

// The speed recipes carry more from step to step: Muon's and SGD's momenta, a whitening bias that stops being trained
// in the second epoch, Lookahead's average, flips that alternate.
TEST_F(ResumeTest, TheSpeedRecipesParts) {
  for (const char* optimizer : {"muon", "sgd"}) {
    const Words speed = {"--model",
                         "conv whitening 2 gelu, conv 12 same nobias dirac, maxpool 2, batchnorm noscale momentum 0.6, "
                         "gelu, skip, conv 12 same nobias dirac, add, maxpool 5, flatten, dense classes nobias unit, "
                         "scale 1/16",
                         "--optimizer",
                         optimizer,
                         "--learning-rate",
                         "0.1",
                         "--bias-learning-rate",
                         "0.5",
                         "--whitening-bias-epochs",
                         "1.5",
                         "--lookahead",
                         optimizer == std::string("sgd") ? "4" : "0",
                         "--freeze-through",
                         "batchnorm_1",
                         "--freeze-after",
                         "0.6",
                         "--backward-share",
                         "0.7",
                         "--backward-share-after",
                         "1",
                         "--alternating-flip",
                         "--brightness",
                         "0.2",
                         "--contrast",
                         "0.2",
                         "--cutout",
                         "5",
                         "--views",
                         "6",
                         "--views-below",
                         "0.9"};
    const std::string reference = std::string("reference-") + optimizer, run = std::string("run-") + optimizer;
    Succeed(Command(reference, speed));
    auto process = Start(Command(run, speed));
    for (const size_t epochs : {1, 2, 3}) {
      if (!Await(*process, [&] { return EpochsOf(run) >= epochs; })) break;
      process->Signal(epochs == 2 ? SIGTERM : SIGKILL);
      process->Wait();
      process = Start({"train", "--resume", run, "--quiet"});
    }
    EXPECT_EQ(process->Wait().code, 0);
    ExpectSameRun(run, reference);
  }
}

TEST_F(ResumeTest, AFinishedRunThatGoesOnAndIsKilledGoesOnAgain) {
  Succeed(Command("run", {"--schedule", "constant", "--epochs", "1"}));
  auto process = Start({"train", "--resume", "run", "--epochs", "4", "--quiet"});
  ASSERT_TRUE(Await(*process, [&] { return EpochsOf("run") >= 2; }));
  process->Signal(SIGKILL);
  process->Wait();
  Succeed({"train", "--resume", "run", "--quiet"});
  Succeed(Command("straight", {"--schedule", "constant"}));
  ExpectSameRun("run", "straight");
}

TEST_F(ResumeTest, OnlySomeFlagsMayChange) {
  Succeed(Command("run", {"--epochs", "1"}));
  Refuse(2, {"train", "--resume", "run", "--epochs", "2", "--learning-rate", "0.1"},
         {"--learning-rate can't change", "--epochs"});
  Refuse(2, {"train", "--resume", "run", "--epochs", "2", "--output", "other"}, {"--output"});
  Refuse(2, {"train", "--resume", "run", "--epochs", "2", "--recipe", "seed-001"}, {"--recipe"});
  EXPECT_FALSE(fs::exists(at("other")));
  const Outcome outcome = Succeed({"train", "--resume", "run", "--epochs", "2", "--quiet", "--threads", "2"});
  EXPECT_NE(outcome.err.find("note: threads was 1 and is now 2"), std::string::npos) << outcome.err;
}

TEST_F(ResumeTest, OtherDataIsRefused) {
  Succeed(Command("run", {"--epochs", "1"}));
  fs::rename(at("pictures"), at("moved"));
  Refuse(3, {"train", "--resume", "run", "--epochs", "2", "--quiet"},
         {"pictures", "is not there any more", "spotter train DATA --resume run"});
  Refuse(3, {"evaluate", "run"}, {"is not there any more", "spotter evaluate run DATA"});
  WritePng(at("moved/red/new.png"), 32, 32, std::vector<uint8_t>(32 * 32 * 3, 9));
  const std::string record = ReadText(at("run/run.json")), recipe = ReadText(at("run/recipe.toml"));
  Refuse(3, {"train", "moved", "--resume", "run", "--epochs", "2", "--quiet"},
         {"the data is not what this run was started with: moved has", "the run had"});
  EXPECT_EQ(ReadText(at("run/run.json")), record) << "a refusal changed the finished run";
  EXPECT_EQ(ReadText(at("run/recipe.toml")), recipe);
  fs::remove(at("moved/red/new.png"));
  Succeed({"train", "moved", "--resume", "run", "--epochs", "2", "--quiet"});
  EXPECT_EQ(Json::parse(ReadText(at("run/run.json")))["data"]["source"], at("moved").string());
  Succeed({"evaluate", "run"});
}

TEST_F(ResumeTest, TwoProcessesDoNotTrainOneRun) {
  auto process = Start(Command("run", {"--epochs", "1000"}));
  ASSERT_TRUE(Await(*process, [&] { return EpochsOf("run") >= 1; }));
  Refuse(2, {"train", "--resume", "run", "--quiet"}, {"another spotter trains in 'run'"});
  process->Signal(SIGKILL);
}

}  // namespace
}  // namespace spotter
