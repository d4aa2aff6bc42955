// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <cmath>
#include <csignal>
#include <limits>
#include <map>
#include <thread>

#include "base/error.h"
#include "base/stop_signal.h"
#include "evaluate/evaluator.h"
#include "evaluate/metrics.h"
#include "support/small_run.h"

namespace spotter {
namespace {

std::string MessageOf(SmallRun& run, ExitCode code, bool resume = false) {
  try {
    run.Train(resume);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "it trained";
  return "";
}

bool SameModel(const Network& a, const Network& b) {
  for (size_t i = 0; i < a.parameters().size(); ++i) {
    if (!at::equal(a.parameters()[i]->value, b.parameters()[i]->value)) return false;
  }
  return true;
}

TEST(Train, LearnsWhatCanBeLearnt) {
  SmallRun run;
  run.settings.epochs = 40;
  const TrainOutcome outcome = run.Train();
  EXPECT_EQ(outcome.end, TrainEnd::kFinished);
  EXPECT_EQ(outcome.state.epochs_done, 40);
  ASSERT_EQ(outcome.state.history.size(), 40u);
  EXPECT_LT(outcome.state.history.back().train_loss, outcome.state.history.front().train_loss / 2);
  EXPECT_GT(outcome.state.history[static_cast<size_t>(outcome.state.best_epoch) - 1].validation_accuracy, 0.9);
  // Images that it never saw, by the model that it leaves.
  const Dataset more = ColourPatches(300);
  std::vector<int64_t> unseen;
  for (int64_t i = 90; i < 300; ++i) unseen.push_back(i);
  const auto logits = ComputeLogits(run.model->network, run.model->preprocessing, more, unseen, Compute{});
  EXPECT_GT(ComputeMetrics(LabelsOf(more, unseen), logits, 3).accuracy, 0.9);
}

// Weight decay and momentum must not move what is frozen either.
TEST(Train, FrozenLayersStayAsTheyAre) {
  using Values = std::map<std::string, at::Tensor>;
  const auto trained = [](int64_t epochs, const std::string& optimizer, const std::string& precision) {
    SmallRun run;
    run.precision = precision;
    run.settings.optimizer.name = optimizer;
    run.settings.optimizer.weight_decay = 0.01;
    run.settings.freeze_through = epochs == 1 ? "none" : "batchnorm_1";
    run.settings.freeze_after = 1.0 / static_cast<double>(epochs);  // one epoch; the schedule is constant
    run.settings.keep = "last";
    run.settings.epochs = epochs;
    run.Train();
    Values values;
    for (const Parameter* parameter : run.model->network.parameters())
      values[parameter->name] = parameter->value.detach().clone();
    return values;
  };
  for (const char* precision : {"fp32", "bf16"}) {  // libtorch's autograd and, where they run, our own kernels
    for (const std::string& optimizer : OptimizerNames()) {
      SCOPED_TRACE(optimizer + " " + precision);
      Values before = trained(1, optimizer, precision);
      const Values after = trained(3, optimizer, precision);
      for (const auto& [name, value] : after) {
        const bool frozen = name.starts_with("conv_1.") || name == "batchnorm_1.weight" || name == "batchnorm_1.bias";
        EXPECT_EQ(at::equal(value, before[name]), frozen) << name;  // moving averages go on
      }
    }
  }
}

TEST(Train, TellsTheObserverEveryStepAndEpoch) {
  SmallRun run;
  std::vector<StepReport> reports;
  run.observer.on_step = [&](const StepReport& report) { reports.push_back(report); };
  const TrainOutcome outcome = run.Train();
  // 90 images, a quarter of each class's 30 (8) for validation: 66 to train, five batches of 16 and less an epoch.
  ASSERT_EQ(reports.size(), 15u);
  EXPECT_EQ(reports[6].epoch, 2);
  EXPECT_EQ(reports[6].step, 2);
  EXPECT_EQ(reports[6].steps, 5);
  EXPECT_EQ(reports[6].epochs, 3);
  ASSERT_EQ(run.observer.epochs.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const EpochRecord& record = run.observer.epochs[i];
    EXPECT_EQ(record.epoch, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(record.train_loss, outcome.state.history[i].train_loss);
    EXPECT_EQ(record.train_loss, reports[5 * i + 4].loss);
    EXPECT_EQ(record.train_accuracy, reports[5 * i + 4].accuracy);
    EXPECT_NEAR(std::round(record.train_accuracy * 66), record.train_accuracy * 66, 1e-9) << "every image counts once";
    EXPECT_NEAR(std::round(*record.validation_accuracy * 24), *record.validation_accuracy * 24, 1e-9);
    EXPECT_EQ(record.learning_rate, 0.01);
    EXPECT_GE(record.data_wait_fraction, 0);
    EXPECT_LE(record.data_wait_fraction, 1);
    EXPECT_GT(record.images_per_second, 0);
    EXPECT_GT(record.seconds, 0);
  }
}

TEST(Train, IsAFunctionOfTheSeed) {
  SmallRun a, b, other;
  other.settings.seed = 6;
  a.Train();
  b.Train();
  other.Train();
  EXPECT_TRUE(SameModel(a.model->network, b.model->network));
  EXPECT_FALSE(SameModel(a.model->network, other.model->network));
}

// Keras' rule (min_delta 0): stop when the last `patience` epochs were none better than the best, and go back to its
// weights.
TEST(Train, StopsEarlyAndKeepsTheBestWeights) {
  SmallRun run;
  run.settings.epochs = 60;
  run.settings.early_stopping = 2;
  run.settings.schedule.learning_rate = 0.05;  // so that the validation loss goes up now and then
  const TrainOutcome outcome = run.Train();
  ASSERT_EQ(outcome.end, TrainEnd::kStoppedEarly);
  EXPECT_LT(outcome.state.epochs_done, 60);
  double best = std::numeric_limits<double>::infinity();
  int64_t best_epoch = 0;
  int64_t waited = 0;
  for (size_t i = 0; i < outcome.state.history.size(); ++i) {
    const bool better = *outcome.state.history[i].validation_loss < best;
    EXPECT_EQ(run.observer.best_so_far[i], better);
    waited = better ? 0 : waited + 1;
    if (better) best = *outcome.state.history[i].validation_loss, best_epoch = outcome.state.history[i].epoch;
    EXPECT_EQ(waited == 2, i + 1 == outcome.state.history.size()) << "epoch " << i + 1;
  }
  EXPECT_EQ(outcome.state.best_epoch, best_epoch);
  EXPECT_EQ(outcome.state.epochs_done, best_epoch + 2);
  // The weights that are left give the best epoch's validation loss.
  const Splits splits = MakeSplits(run.data, run.validation_fraction, 0, 5);
  const auto logits =
      ComputeLogits(run.model->network, run.model->preprocessing, run.data, splits.validation, Compute{});
  EXPECT_DOUBLE_EQ(ComputeMetrics(LabelsOf(run.data, splits.validation), logits, 3).loss, best);
  EXPECT_TRUE(SameModel(run.model->network, LoadModel(run.best()).network));
}

TEST(Train, KeepLastKeepsTheLastWeights) {
  SmallRun best, last;
  for (SmallRun* run : {&best, &last}) {
    run->settings.epochs = 12;
    run->settings.schedule.learning_rate = 0.05;
  }
  last.settings.keep = "last";
  ASSERT_LT(best.Train().state.best_epoch, 12) << "choose a run whose last epoch is not its best";
  last.Train();
  EXPECT_FALSE(SameModel(best.model->network, last.model->network));
  EXPECT_TRUE(SameModel(best.model->network, LoadModel(last.best()).network));
}

TEST(Train, MonitorsTheAccuracyWhereItIsTold) {
  SmallRun run;
  run.settings.epochs = 12;
  run.settings.monitor = "validation-accuracy";
  const TrainOutcome outcome = run.Train();
  double best = -1;
  int64_t best_epoch = 0;
  for (const EpochRecord& record : outcome.state.history) {
    if (*record.validation_accuracy > best) best = *record.validation_accuracy, best_epoch = record.epoch;
  }
  EXPECT_EQ(outcome.state.best_epoch, best_epoch);
  EXPECT_EQ(outcome.state.best_value, best);
}

TEST(Train, WithoutValidationImagesFollowsTheTrainingLoss) {
  SmallRun run;
  run.validation_fraction = 0;
  const TrainOutcome outcome = run.Train();
  EXPECT_FALSE(outcome.state.history[0].validation_loss.has_value());
  EXPECT_EQ(outcome.state.best_value,
            -outcome.state.history[static_cast<size_t>(outcome.state.best_epoch) - 1].train_loss);
}

TEST(Train, SaysWhereTheLossStoppedBeingFinite) {
  SmallRun run;
  run.settings.schedule.learning_rate = 1e30;
  const std::string message = MessageOf(run, ExitCode::kDiverged);
  for (const char* part : {"not finite", "epoch 1, step 2 of 5", "learning rate of 1e+30", "--learning-rate 1e+29"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  EXPECT_FALSE(std::filesystem::exists(run.last()));
}

TEST(Train, ALossThatIsNotFiniteLeavesTheCheckpointBefore) {
  SmallRun run;
  run.settings.epochs = 1;
  run.Train();
  const std::string before = ReadText(run.last());
  run.settings.epochs = 2;
  run.settings.schedule.learning_rate = 1e30;
  EXPECT_NE(MessageOf(run, ExitCode::kDiverged, /*resume=*/true).find("epoch 2, step 2"), std::string::npos);
  EXPECT_EQ(ReadText(run.last()), before);
}

// One step an epoch: the step's own loss is from before it, so that only validation sees what it has done.
TEST(Train, ValidationThatIsNotFiniteIsDivergenceToo) {
  SmallRun run;
  run.settings.batch_size = 1000;
  run.settings.epochs = 1;
  run.settings.schedule.learning_rate = 1e30;
  const std::string message = MessageOf(run, ExitCode::kDiverged);
  EXPECT_NE(message.find("the validation loss is not finite after epoch 1"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(run.last()));
}

TEST(Train, ACheckpointThatCantBeWrittenIsAnIoError) {
  SmallRun run;
  run.observer.on_step = [&](const StepReport&) { std::filesystem::remove_all(run.folder.path()); };
  MessageOf(run, ExitCode::kIo);
}

TEST(NewModel, RefusesAShiftOfMoreThanHalfTheImage) {
  SmallRun run;
  run.settings.shift = 5;
  EXPECT_NE(MessageOf(run, ExitCode::kUsage).find("--shift 5: expected at most half the smaller side of the images, 4"),
            std::string::npos);
}

TEST(NewModel, RefusesACutoutOfAllOfTheImage) {
  SmallRun run;
  run.settings.cutout = 8;
  EXPECT_NE(MessageOf(run, ExitCode::kUsage).find("--cutout 8: expected less than the smaller side of the images, 8"),
            std::string::npos);
}

TEST(NewModel, NormalizesAsTheSettingsSay) {
  SmallRun run;
  run.settings.epochs = 1;
  run.Train();
  EXPECT_NE(run.model->preprocessing.mean[0], 0.0f);
  SmallRun unit;
  unit.settings.epochs = 1;
  unit.settings.normalize = "unit";
  unit.Train();
  EXPECT_EQ(unit.model->preprocessing.mean, (std::array<float, 3>{0, 0, 0}));
  EXPECT_EQ(unit.model->preprocessing.std, (std::array<float, 3>{1, 1, 1}));
}

// The moving variance of batch norm is the unbiased one, which a single value has not.
TEST(Train, ALastBatchOfOneImageSpoilsNothing) {
  SmallRun run;
  run.settings.model = "flatten, dense 16 relu, batchnorm, dense classes";
  run.settings.batch_size = 65;
  ASSERT_EQ(MakeSplits(run.data, run.validation_fraction, 0, 5).train.size() % 65, 1U);
  const TrainOutcome outcome = run.Train();
  EXPECT_EQ(outcome.state.epochs_done, 3);
  for (const Parameter* parameter : run.model->network.parameters())
    EXPECT_TRUE(at::isfinite(parameter->value).all().item<bool>()) << parameter->name;
}

TEST(Train, WeightsThatAreNotFiniteAreTold) {
  SmallRun run;
  run.validation_fraction = 0;
  run.observer.on_step = [&](const StepReport& report) {
    if (report.step == report.steps) run.model->network.parameters()[0]->value.detach().fill_(std::nan(""));
  };
  const std::string message = MessageOf(run, ExitCode::kDiverged);
  EXPECT_NE(message.find("after epoch 1"), std::string::npos) << message;
  EXPECT_NE(message.find("--learning-rate"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(run.last()));
}

TEST(Train, TheTimeOfAnEpochThatWasStoppedCountsWhole) {
  SmallRun run;
  run.settings.epochs = 1;
  run.observer.on_step = [](const StepReport& report) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (report.step == 2) std::raise(SIGTERM);
  };
  CatchStopSignals();
  const TrainOutcome stopped = run.Train();
  CatchStopSignals();  // forgets the one that came
  ASSERT_EQ(stopped.end, TrainEnd::kInterrupted);
  EXPECT_GE(stopped.state.seconds(), 0.1);
  run.observer.on_step = {};
  const TrainOutcome whole = run.Train(/*resume=*/true);
  EXPECT_GE(whole.state.seconds(), stopped.state.seconds());
  EXPECT_EQ(whole.state.seconds(), whole.state.history[0].seconds);
}

}  // namespace
}  // namespace spotter
