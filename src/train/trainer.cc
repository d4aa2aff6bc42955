// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "evaluate/evaluator.h"
#include "evaluate/metrics.h"
#include "optimize/freeze_out.h"
#include "optimize/schedule.h"
#include "train/checkpoint.h"
#include "train/class_weights.h"
#include "train/train_step.h"

namespace spotter {
namespace {

/// Adds the seconds of its life.
class Timer {
 public:
  explicit Timer(double& seconds) : seconds_(seconds) {}
  ~Timer() { seconds_ += watch_.Seconds(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  double& seconds_;
  Stopwatch watch_;
};

std::unique_ptr<Optimizer> MakeTrainingOptimizer(const TrainJob& job) {
  const TrainSettings& s = job.settings;
  if (s.freeze_through == "none")
    return MakeOptimizer(s.optimizer, job.model.network.parameters(), job.compute.precision);
  return std::make_unique<FreezeOut>(CutBehind(job.model.network, s.freeze_through), s.freeze_after, s.optimizer,
                                     s.schedule, static_cast<double>(s.epochs), job.compute.precision);
}

class Trainer {
 public:
  explicit Trainer(const TrainJob& job)
      : job_(job),
        settings_(job.settings),
        optimizer_(MakeTrainingOptimizer(job)),
        step_({.data = job.data,
               .preprocessing = job.model.preprocessing,
               .network = job.model.network,
               .optimizer = *optimizer_,
               .augmentation = ToAugmentation(settings_),
               .compute = job.compute,
               .seed = static_cast<uint64_t>(settings_.seed),
               .label_smoothing = settings_.label_smoothing,
               .backward_share = settings_.backward_share,
               .backward_share_after = settings_.backward_share_after,
               .class_weights =
                   ClassWeights(settings_.class_weights, job.data.classes, ClassCounts(job.data, job.splits.train))}),
        images_(static_cast<int64_t>(job.splits.train.size())),
        steps_((images_ + settings_.batch_size - 1) / settings_.batch_size) {}

  TrainOutcome Run(bool resume) {
    if (resume) Restore();
    job_.observer->OnBegin();
    while (state_.epochs_done < settings_.epochs && !state_.stopped_early) {
      const Stopwatch watch;
      if (!RunSteps()) {
        state_.sums.seconds += watch.Seconds();
        SaveLast();
        return Outcome(TrainEnd::kInterrupted);
      }
      FinishEpoch(watch);
    }
    if (settings_.keep == "best" && state_.best_epoch > 0) {
      const Timer timer(around_.checkpoints);
      job_.model = LoadModel(BestPath());
      job_.model.network.MoveTo(job_.compute.device);
    }
    return Outcome(state_.stopped_early ? TrainEnd::kStoppedEarly : TrainEnd::kFinished);
  }

 private:
  std::filesystem::path LastPath() const { return job_.checkpoint_folder / "last.safetensors"; }
  std::filesystem::path BestPath() const { return job_.checkpoint_folder / "best.safetensors"; }

  /// What must not change if a resumed run is to be the run that it would have been.
  Json Fingerprint() const {
    return {{"data", job_.data.fingerprint},
            {"training_images", images_},
            {"precision", PrecisionName(job_.compute.precision)},
            {"threads", job_.compute.threads},
            {"device", job_.compute.device.str()}};
  }

  void SaveLast() {
    const Timer timer(around_.checkpoints);
    SaveCheckpoint(LastPath(), job_.model.network, *optimizer_, state_, Fingerprint());
  }

  TrainOutcome Outcome(TrainEnd end) const { return {end, state_, Joined(around_, step_.profile())}; }

  void Restore() {
    if (!std::filesystem::exists(LastPath())) {
      Fail(ExitCode::kModel,
           "there is no checkpoint '{}' to resume from; was the run stopped before its first? Start a new run",
           LastPath().string());
    }
    RestoredRun run = LoadCheckpoint(LastPath(), job_.model.network, *optimizer_);
    const Json now = Fingerprint();
    const auto before = run.fingerprint.value("training_images", int64_t{0});
    if (run.fingerprint.value("data", "") != now["data"] || before != images_) {
      Fail(ExitCode::kData,
           "the data is not what this run was started with: {} has {} training images, the run had {}{}; resume with "
           "the "
           "same data, or start a new run",
           Printable(job_.data.source), images_, before, before == images_ ? ", but not the same ones" : "");
    }
    for (const char* key : {"precision", "threads", "device"}) {
      if (run.fingerprint.value(key, Json()) == now[key]) continue;
      job_.observer->OnNote(
          fmt::format("{} was {} and is now {}: the run goes on, but not bit for bit as it would have", key,
                      DumpJson(run.fingerprint.value(key, Json())), DumpJson(now[key])));
    }
    if (job_.compute.device.is_cuda()) {
      job_.observer->OnNote("on CUDA the run goes on, but not bit for bit: libtorch's kernels there don't promise it");
    }
    if (run.state.epochs_done > settings_.epochs) {
      Fail(ExitCode::kUsage, "--epochs {}: the run has done {} already; give at least as many", settings_.epochs,
           run.state.epochs_done);
    }
    if (run.state.best_epoch > 0 && settings_.keep == "best" && !std::filesystem::exists(BestPath())) {
      Fail(ExitCode::kModel, "the best model so far, '{}', is missing; put it back, or start a new run",
           BestPath().string());
    }
    state_ = std::move(run.state);
    if (state_.epochs_since_best < settings_.early_stopping || settings_.early_stopping == 0)
      state_.stopped_early = false;
  }

  StepRate Rate() const {
    const double epoch =
        static_cast<double>(state_.epochs_done) + static_cast<double>(state_.sums.steps) / static_cast<double>(steps_);
    const double rate =
        ScheduledRate(settings_.schedule, epoch, static_cast<double>(settings_.epochs)) * state_.plateau.factor;
    return {.learning_rate = rate,
            .factor = rate / settings_.schedule.learning_rate,
            .epoch = epoch,
            .progress = static_cast<double>(state_.epochs_done * steps_ + state_.sums.steps + 1) /
                        static_cast<double>(settings_.epochs * steps_)};
  }

  /// The rest of the epoch under way. False when a stop was asked for in between.
  bool RunSteps() {
    const int64_t epoch = state_.epochs_done;
    const auto order =
        Permutation(static_cast<uint64_t>(settings_.seed), Stream::kOrder, static_cast<uint32_t>(epoch), images_);
    std::vector<int64_t> batch;
    while (state_.sums.steps < steps_) {
      if (StopRequested()) return false;
      const Stopwatch watch;
      const int64_t first = state_.sums.steps * settings_.batch_size;
      batch.clear();
      for (int64_t i = first; i < std::min(first + settings_.batch_size, images_); ++i) {
        batch.push_back(job_.splits.train[static_cast<size_t>(order[static_cast<size_t>(i)])]);
      }
      const StepRate rate = Rate();
      const StepResult result = step_.Run(batch, epoch, state_.sums.steps, rate);
      rate_ = rate.learning_rate;
      if (!std::isfinite(result.loss))
        FailDiverged("loss", fmt::format("in epoch {}, step {} of {}", epoch + 1, state_.sums.steps + 1, steps_));
      AddStep(result, static_cast<int64_t>(batch.size()), watch.Seconds());
    }
    return true;
  }

  [[noreturn]] void FailDiverged(const std::string& what, const std::string& where) const {
    Fail(ExitCode::kDiverged,
         "the {} is not finite {}, at a learning rate of {:.3g}; try --learning-rate {:.2g} (or --warmup-epochs 1)",
         what, where, rate_, settings_.schedule.learning_rate / 10);
  }

  void AddStep(const StepResult& result, int64_t images, double seconds) {
    EpochSums& sums = state_.sums;
    sums.steps += 1;
    sums.images += images;
    sums.correct += result.correct;
    sums.loss += result.loss * static_cast<double>(images);
    sums.train_seconds += seconds;
    sums.data_seconds += result.data_seconds;
    const double epoch_seconds =
        seconds_per_epoch_ > 0 ? seconds_per_epoch_
                               : sums.train_seconds / static_cast<double>(sums.steps) * static_cast<double>(steps_);
    const double epochs_left = static_cast<double>(settings_.epochs - state_.epochs_done) -
                               static_cast<double>(sums.steps) / static_cast<double>(steps_);
    job_.observer->OnStep({.epoch = state_.epochs_done + 1,
                           .epochs = settings_.epochs,
                           .step = sums.steps,
                           .steps = steps_,
                           .loss = sums.loss / static_cast<double>(sums.images),
                           .accuracy = static_cast<double>(sums.correct) / static_cast<double>(sums.images),
                           .images_per_second = static_cast<double>(sums.images) / sums.train_seconds,
                           .data_wait_fraction = sums.data_seconds / sums.train_seconds,
                           .seconds_left = epochs_left * epoch_seconds});
  }

  void Validate(EpochRecord& record) {
    if (job_.splits.validation.empty()) return;
    const Timer timer(around_.validation);
    Preprocessing once = job_.model.preprocessing;
    once.views = {};  // more of them would take longer and tell the same about which epoch is the best
    const auto logits = ComputeLogits(job_.model.network, once, job_.data, job_.splits.validation, job_.compute);
    const Metrics metrics =
        ComputeMetrics(LabelsOf(job_.data, job_.splits.validation), logits, job_.model.network.classes());
    record.validation_loss = metrics.loss;
    record.validation_accuracy = metrics.accuracy;
    if (!std::isfinite(metrics.loss)) FailDiverged("validation loss", fmt::format("after epoch {}", record.epoch));
  }

  void CheckWeights(int64_t epoch) const {
    const Parameter* bad = job_.model.network.FirstNotFinite();
    if (bad != nullptr) FailDiverged("tensor '" + bad->name + "'", fmt::format("after epoch {}", epoch));
  }

  /// Whether this epoch is the best so far by the monitored value (without validation images: by training's own).
  bool IsBest(const EpochRecord& record) {
    const bool by_loss = settings_.monitor == "validation-loss";
    const double value = by_loss ? -record.validation_loss.value_or(record.train_loss)
                                 : record.validation_accuracy.value_or(record.train_accuracy);
    const bool best = std::isfinite(value) && (state_.best_epoch == 0 || value > state_.best_value);
    state_.epochs_since_best = best ? 0 : state_.epochs_since_best + 1;
    if (best) {
      state_.best_epoch = record.epoch;
      state_.best_value = value;
    }
    return best;
  }

  void FinishEpoch(const Stopwatch& watch) {
    const EpochSums sums = state_.sums;
    const auto images = static_cast<double>(sums.images);
    EpochRecord record{.epoch = state_.epochs_done + 1,
                       .train_loss = sums.loss / images,
                       .train_accuracy = static_cast<double>(sums.correct) / images,
                       .validation_loss = {},
                       .validation_accuracy = {},
                       .learning_rate = rate_,
                       .images_per_second = images / sums.train_seconds,
                       .data_wait_fraction = sums.data_seconds / sums.train_seconds};
    Validate(record);
    CheckWeights(record.epoch);
    ObserveLoss(settings_.schedule, record.validation_loss.value_or(record.train_loss), state_.plateau);
    const bool best = IsBest(record);
    if (best) {
      const Timer timer(around_.checkpoints);
      SaveModel(BestPath(), job_.model, {{"epoch", std::to_string(record.epoch)}});
    }
    record.seconds = sums.seconds + watch.Seconds();
    seconds_per_epoch_ = record.seconds;
    state_.history.push_back(record);
    state_.epochs_done += 1;
    state_.sums = {};
    state_.stopped_early = settings_.early_stopping > 0 && state_.epochs_since_best >= settings_.early_stopping;
    SaveLast();
    job_.observer->OnEpoch(state_, best);
  }

  const TrainJob& job_;
  const TrainSettings& settings_;
  std::unique_ptr<Optimizer> optimizer_;
  TrainStep step_;
  int64_t images_;
  int64_t steps_;  // of an epoch
  TrainState state_;
  double rate_ = 0;
  double seconds_per_epoch_ = 0;
  Profile around_;  // validation and checkpoints
};

}  // namespace

TrainOutcome Train(const TrainJob& job, bool resume) { return Trainer(job).Run(resume); }

}  // namespace spotter
