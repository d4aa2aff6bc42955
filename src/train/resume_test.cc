// SPDX-License-Identifier: Apache-2.0
// A run that was interrupted and resumed must end in the very bits of one that was not.
#include <csignal>

#include "base/error.h"
#include "base/stop_signal.h"
#include "support/small_run.h"
#include "train/checkpoint.h"

namespace spotter {
namespace {

/// Every tensor of a file but for the names' order: name -> bytes.
std::map<std::string, std::string> TensorsOf(const std::filesystem::path& path) {
  const SafetensorsFile file = ReadSafetensors(path);
  std::map<std::string, std::string> tensors;
  for (const TensorRecord& tensor : file.tensors) tensors[tensor.name] = std::string(tensor.bytes);
  return tensors;
}

void ExpectSameTensors(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto x = TensorsOf(a), y = TensorsOf(b);
  ASSERT_EQ(x.size(), y.size());
  ASSERT_GT(x.size(), 5u);
  for (const auto& [name, bytes] : x) {
    ASSERT_TRUE(y.contains(name)) << name;
    EXPECT_TRUE(bytes == y.at(name)) << name << " differs";
  }
}

/// All but the times.
void ExpectSameHistory(const TrainState& a, const TrainState& b) {
  EXPECT_EQ(a.best_epoch, b.best_epoch);
  EXPECT_EQ(a.best_value, b.best_value);
  EXPECT_EQ(a.epochs_since_best, b.epochs_since_best);
  EXPECT_EQ(a.plateau.factor, b.plateau.factor);
  ASSERT_EQ(a.history.size(), b.history.size());
  for (size_t i = 0; i < a.history.size(); ++i) {
    EXPECT_EQ(a.history[i].epoch, b.history[i].epoch);
    EXPECT_EQ(a.history[i].train_loss, b.history[i].train_loss) << i;
    EXPECT_EQ(a.history[i].train_accuracy, b.history[i].train_accuracy) << i;
    EXPECT_EQ(a.history[i].validation_loss, b.history[i].validation_loss) << i;
    EXPECT_EQ(a.history[i].validation_accuracy, b.history[i].validation_accuracy) << i;
    EXPECT_EQ(a.history[i].learning_rate, b.history[i].learning_rate) << i;
  }
}

void ExpectSameRun(const SmallRun& a, const TrainOutcome& a_end, const SmallRun& b, const TrainOutcome& b_end) {
  EXPECT_EQ(a_end.end, b_end.end);
  ExpectSameHistory(a_end.state, b_end.state);
  ExpectSameTensors(a.last(), b.last());
  ExpectSameTensors(a.best(), b.best());
}

/// Sends SIGTERM behind the step with this number, counted over the whole run; then resumes until the run ends by
/// itself.
TrainOutcome TrainWithStops(SmallRun& run, const std::vector<int64_t>& stop_after) {
  for (size_t i = 0; i < stop_after.size(); ++i) {
    CatchStopSignals();
    run.observer.on_step = [&, i](const StepReport&) {
      if (run.observer.steps == stop_after[i]) std::raise(SIGTERM);
    };
    const TrainOutcome outcome = run.Train(/*resume=*/i > 0);
    EXPECT_EQ(outcome.end, TrainEnd::kInterrupted);
    EXPECT_EQ(run.observer.steps, stop_after[i]) << "it did not stop at once";
  }
  CatchStopSignals();
  run.observer.on_step = {};
  return run.Train(/*resume=*/!stop_after.empty());
}

class Resume : public testing::Test {
 protected:
  ~Resume() override {
    CatchStopSignals();
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
  }
};

TEST_F(Resume, AfterAnyEpochGivesTheSameBits) {
  SmallRun whole;
  whole.settings.epochs = 4;
  const TrainOutcome whole_end = whole.Train();
  for (const int64_t epochs : {1, 2, 3}) {
    SCOPED_TRACE(epochs);
    SmallRun parted;
    parted.settings.epochs = epochs;
    EXPECT_EQ(parted.Train().end, TrainEnd::kFinished);
    parted.settings.epochs = 4;  // raising the epochs goes on from there (the schedule is constant)
    ExpectSameRun(whole, whole_end, parted, parted.Train(/*resume=*/true));
    EXPECT_TRUE(parted.observer.notes.empty());
  }
}

TEST_F(Resume, AfterAnyStepGivesTheSameBits) {
  SmallRun whole;
  whole.settings.epochs = 2;
  const TrainOutcome whole_end = whole.Train();
  ASSERT_EQ(whole.observer.steps, 10);
  for (int64_t step = 1; step < 10; ++step) {  // 5 ends the first epoch
    SCOPED_TRACE(step);
    SmallRun parted;
    parted.settings.epochs = 2;
    ExpectSameRun(whole, whole_end, parted, TrainWithStops(parted, {step}));
    EXPECT_EQ(parted.observer.steps, 10);
  }
}

TEST_F(Resume, AfterManyStopsWithEverySettingGivesTheSameBits) {
  for (const char* optimizer : {"adamw", "sgd"}) {
    for (const char* schedule : {"plateau", "one-cycle"}) {
      SCOPED_TRACE(std::string(optimizer) + " " + schedule);
      const auto settle = [&](TrainSettings& settings) {
        settings.optimizer.name = optimizer;
        settings.optimizer.weight_decay = 0.01;
        settings.schedule.name = schedule;
        settings.schedule.plateau_patience = 1;
        settings.schedule.learning_rate = 0.05;
        settings.label_smoothing = 0.1;
        settings.class_weights = "red=2";
        settings.early_stopping = 3;
        settings.freeze_through = "batchnorm_1";
        settings.freeze_after = 0.5;
        settings.optimizer.lookahead = 2;
      };
      SmallRun whole, parted;
      settle(whole.settings);
      settle(parted.settings);
      const TrainOutcome whole_end = whole.Train();
      ExpectSameRun(whole, whole_end, parted, TrainWithStops(parted, {2, 3, 5, 9, 10, 14}));
    }
  }
}

TEST_F(Resume, InBf16GivesTheSameBits) {
  SmallRun whole, parted;
  whole.precision = parted.precision = "bf16";
  whole.settings.epochs = parted.settings.epochs = 2;
  whole.settings.freeze_through = parted.settings.freeze_through = "batchnorm_1";
  const TrainOutcome whole_end = whole.Train();
  ExpectSameRun(whole, whole_end, parted, TrainWithStops(parted, {3, 7}));  // before and after it freezes
}

TEST_F(Resume, OfAFinishedRunChangesNothingAndGivesTheModel) {
  SmallRun run;
  run.settings.schedule.learning_rate = 0.05;
  run.settings.epochs = 12;
  const TrainOutcome first = run.Train();
  ASSERT_LT(first.state.best_epoch, 12);
  const std::string last = ReadText(run.last());
  const TrainOutcome again = run.Train(/*resume=*/true);
  EXPECT_EQ(again.end, TrainEnd::kFinished);
  EXPECT_EQ(run.observer.epochs.size(), 12u);
  EXPECT_EQ(ReadText(run.last()), last);
  const Model best = LoadModel(run.best());
  for (size_t i = 0; i < best.network.parameters().size(); ++i) {
    EXPECT_TRUE(at::equal(run.model->network.parameters()[i]->value, best.network.parameters()[i]->value)) << i;
  }
}

TEST_F(Resume, OfAnEarlyStoppedRunStaysStoppedUntilItMayWaitLonger) {
  SmallRun run;
  run.settings.epochs = 40;
  run.settings.early_stopping = 2;
  run.settings.schedule.learning_rate = 0.05;
  const TrainOutcome first = run.Train();
  ASSERT_EQ(first.end, TrainEnd::kStoppedEarly);
  EXPECT_EQ(run.Train(true).end, TrainEnd::kStoppedEarly);
  EXPECT_EQ(static_cast<int64_t>(run.observer.epochs.size()), first.state.epochs_done);
  run.settings.early_stopping = 4;
  EXPECT_GT(run.Train(true).state.epochs_done, first.state.epochs_done);
}

class ResumeRefused : public Resume {
 protected:
  ResumeRefused() {
    run_.settings.epochs = 1;
    run_.Train();
    run_.settings.epochs = 2;
  }
  void ExpectRefused(ExitCode code, const std::string& part) {
    try {
      run_.Train(/*resume=*/true);
      ADD_FAILURE() << "it resumed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
  /// Writes the checkpoint again with other metadata.
  void ChangeMetadata(const std::string& key, const std::string& value) {
    const SafetensorsFile file = ReadSafetensors(run_.last());
    auto metadata = file.metadata;
    metadata[key] = value;
    WriteSafetensors(run_.last(), file.tensors, metadata);
  }
  SmallRun run_;
};

TEST_F(ResumeRefused, WithoutACheckpoint) {
  std::filesystem::remove(run_.last());
  ExpectRefused(ExitCode::kModel, "there is no checkpoint");
}

TEST_F(ResumeRefused, WithOtherData) {
  run_.data.fingerprint = "fedcba9876543210";
  ExpectRefused(ExitCode::kData, "the data is not what this run was started with");
}

TEST_F(ResumeRefused, WithAnotherNumberOfTrainingImages) {
  run_.validation_fraction = 0.5;
  ExpectRefused(ExitCode::kData, "the data is not what this run was started with");
}

TEST_F(ResumeRefused, WithACheckpointCutShort) {
  const std::string whole = ReadText(run_.last());
  for (const size_t length : {size_t{0}, size_t{7}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    WriteText(run_.last(), whole.substr(0, length));
    ExpectRefused(ExitCode::kModel, "last.safetensors");
  }
}

TEST_F(ResumeRefused, WithAModelInTheCheckpointsPlace) {
  WriteText(run_.last(), ReadText(run_.best()));
  ExpectRefused(ExitCode::kModel, "no checkpoint");
}

TEST_F(ResumeRefused, WithAnotherNetwork) {
  run_.settings.model = "conv 9 same relu, batchnorm, maxpool 2, dropout 0.2, flatten, dense 16 relu, dense classes";
  ExpectRefused(ExitCode::kModel, "conv_1.weight");
}

TEST_F(ResumeRefused, WithAnotherOptimizer) {
  run_.settings.optimizer.name = "sgd";
  ExpectRefused(ExitCode::kModel, "momentum/");
}

TEST_F(ResumeRefused, WithAStateThatIsDamaged) {
  const std::string state = ReadSafetensors(run_.last()).metadata.at("state");
  for (const std::string& bad :
       {std::string(""), std::string("{}"), std::string("[]"), state.substr(1), state.substr(0, state.size() - 1)}) {
    ChangeMetadata("state", bad);
    ExpectRefused(ExitCode::kModel, "its state is damaged");
  }
  const auto with = [&](const char* pointer, const Json& value) {
    Json changed = Json::parse(state);
    changed[Json::json_pointer(pointer)] = value;
    ChangeMetadata("state", changed.dump());
    ExpectRefused(ExitCode::kModel, "its state is damaged");
  };
  with("/sums/steps", -1);
  with("/epochs_done", -1);
  with("/epochs_done", 7);
  with("/history", nullptr);
  with("/best_value", "much");
}

TEST_F(ResumeRefused, WithAFingerprintThatIsDamaged) {
  for (const char* bad : {"[]", "", "null", "3"}) {
    ChangeMetadata("fingerprint", bad);
    ExpectRefused(ExitCode::kModel, "damaged");
  }
  ChangeMetadata("fingerprint", "{}");
  ExpectRefused(ExitCode::kData, "the data is not");
}

TEST_F(ResumeRefused, NotForAnotherPrecisionButThatIsSaid) {
  run_.precision = "bf16";
  EXPECT_EQ(run_.Train(true).end, TrainEnd::kFinished);
  ASSERT_EQ(run_.observer.notes.size(), 1u);
  EXPECT_NE(run_.observer.notes[0].find("precision was \"fp32\" and is now \"bf16\""), std::string::npos)
      << run_.observer.notes[0];
}

TEST_F(Resume, ACheckpointThatCantBeWrittenLeavesTheOneBefore) {
  SmallRun run;
  Network network("flatten, dense classes", {1, 1, 1}, 2);
  network.InitializeParameters(0);
  const auto optimizer = MakeOptimizer({}, network.parameters());
  SaveCheckpoint(run.last(), network, *optimizer, {}, Json::object());
  const std::string before = ReadText(run.last());
  std::filesystem::create_directory(run.folder.path() / "folder");
  EXPECT_THROW(SaveCheckpoint(run.folder.path() / "folder", network, *optimizer, {}, Json::object()), Error);
  EXPECT_EQ(ReadText(run.last()), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(run.folder.path()), {}), 2);
}

}  // namespace
}  // namespace spotter
