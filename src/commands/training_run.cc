// SPDX-License-Identifier: Apache-2.0
#include "commands/training_run.h"

#include <torch/headeronly/version.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/host.h"
#include "base/stop_signal.h"
#include "base/text.h"
#include "base/version.h"
#include "commands/load.h"
#include "evaluate/evaluation.h"
#include "report/progress.h"
#include "report/tables.h"
#include "train/class_weights.h"
#include "train/new_model.h"

namespace spotter {
namespace {

std::string ResumeCommand(const RunFolder& run) { return "spotter train --resume " + ShellWord(run.path().string()); }

/// Gives the finished model its temperature, evaluates it on the images that took no part in training, and writes what
/// the run folder holds. Returns the name of the split and what was found on it.
std::pair<std::string, Evaluation> WriteFinishedRun(const TrainJob& job, const TrainState& state,
                                                    const RunFolder& run) {
  FitTemperature(job.model, job.data, job.splits.validation, job.compute);
  SaveModel(run.model_file(), job.model,
            {{"epoch", std::to_string(job.settings.keep == "best" ? state.best_epoch : state.epochs_done)}});
  const bool has_test = !job.splits.test.empty();
  const std::string split = has_test ? "test" : job.splits.validation.empty() ? "train" : "validation";
  const auto& indices = has_test                        ? job.splits.test
                        : job.splits.validation.empty() ? job.splits.train
                                                        : job.splits.validation;
  Evaluation evaluation = Evaluate(job.model, job.data, indices, job.compute);
  run.WriteHistory(state);
  run.WriteResults(state, split, evaluation, job.model.classes);
  run.WritePredictions(PredictionsCsv(job.data, job.model.classes, indices, evaluation));
  return {split, std::move(evaluation)};
}

void PrintResult(const TrainingRequest& a, const RunFolder& run, const TrainOutcome& outcome, const std::string& split,
                 const Evaluation& evaluation, const std::vector<std::string>& classes) {
  const double train_seconds = outcome.state.seconds();
  const bool early = outcome.end == TrainEnd::kStoppedEarly;
  if (a.json) {
    const Json json = {{"event", "result"},
                       {"run", run.path().string()},
                       {"model", run.model_file().string()},
                       {"best_epoch", outcome.state.best_epoch},
                       {"epochs", outcome.state.epochs_done},
                       {"stopped_early", early},
                       {"train_seconds", train_seconds},
                       {"evaluated_on", split},
                       {split, ToJson(evaluation, classes)}};
    std::puts(DumpJson(json).c_str());
    return;
  }
  std::printf("\n%s", EvaluationText(evaluation, classes).c_str());
  const char* where = split == "test"         ? "the test images"
                      : split == "validation" ? "the validation images (there are no test images)"
                                              : "the training images (there are no others)";
  std::printf("\nEvaluated on %s. %s %lld epoch%s in %s, best epoch %lld.\n", where,
              early ? "Stopped early after" : "Trained", static_cast<long long>(outcome.state.epochs_done),
              outcome.state.epochs_done == 1 ? "" : "s", HumanSeconds(train_seconds).c_str(),
              static_cast<long long>(outcome.state.best_epoch));
  const std::string path = ShellWord(run.path().string());
  const std::string more = early ? fmt::format("--early-stopping {}", 2 * a.settings.early_stopping)
                                 : fmt::format("--epochs {}", outcome.state.epochs_done + 10);
  std::printf(
      "Everything is in %s: model.safetensors, metrics.csv, metrics.json, predictions.csv, per_class.csv, "
      "confusion_matrix.csv, recipe.toml\n"
      "Next:\n  spotter predict %s IMAGE...\n  spotter evaluate %s\n  spotter train --resume %s %s\n",
      path.c_str(), path.c_str(), path.c_str(), path.c_str(), more.c_str());
}

void PrintPlan(const TrainJob& job, const RunFolder& run) {
  std::fprintf(stderr,
               "%s: %zu training, %zu validation, %zu test images, %zu classes\nnetwork: %s parameters, %s "
               "on %s with %d thread%s\nrun: %s (* marks the best epoch so far)\n",
               Printable(job.data.source).c_str(), job.splits.train.size(), job.splits.validation.size(),
               job.splits.test.size(), job.data.classes.size(),
               WithThousands(job.model.network.parameter_count()).c_str(), PrecisionName(job.compute.precision).c_str(),
               job.compute.device.str().c_str(), job.compute.threads, job.compute.threads == 1 ? "" : "s",
               run.path().c_str());
}

/// run.json says that the run is under way before recipe.toml says for how long, so that a run which was
/// finished, goes on, and is killed in between does not look finished.
void WriteBeginning(const RunFolder& run, const TrainingRequest& request, const TrainJob& job) {
  if (request.resume) {
    run.UpdateRun({{"status", "started"}, {"error", nullptr}});
    run.WriteRecipe(request.settings);
    return;
  }
  run.WriteRecipe(request.settings);
  const std::string source = LastingName(request.data);
  run.UpdateRun({{"status", "started"},
                 {"error", nullptr},
                 {"command", fmt::format("spotter train {} --recipe {}", ShellWord(source),
                                         ShellWord(run.recipe_file().string()))},
                 {"data",
                  {{"source", source},
                   {"located", job.data.located},
                   {"layout", job.data.layout},
                   {"fingerprint", job.data.fingerprint},
                   {"skipped", job.data.skipped.size()},
                   {"train", job.splits.train.size()},
                   {"validation", job.splits.validation.size()},
                   {"test", job.splits.test.size()}}},
                 {"versions",
                  {{"spotter", kVersion},
                   {"commit", kCommit},
                   {"build", kBuildType},
                   {"compiler", kCompiler},
                   {"libtorch", TORCH_VERSION}}},
                 {"host", DescribeHost()},
                 {"compute",
                  {{"device", job.compute.device.str()},
                   {"precision", PrecisionName(job.compute.precision)},
                   {"threads", job.compute.threads}}}});
}

/// Passes everything on, and keeps the run's folder up to date.
class Recorder : public TrainObserver {
 public:
  Recorder(const RunFolder& run, const TrainingRequest& request, const TrainJob& job, TrainObserver& next)
      : run_(run), request_(request), job_(job), next_(next) {}
  void OnBegin() override {
    WriteBeginning(run_, request_, job_);
    begun_ = true;
    next_.OnBegin();
    if (!request_.note.empty()) next_.OnNote(request_.note);
  }
  void OnStep(const StepReport& report) override { next_.OnStep(report); }
  void OnEpoch(const TrainState& state, bool best) override {
    run_.WriteHistory(state);
    next_.OnEpoch(state, best);
  }
  void OnNote(const std::string& text) override { next_.OnNote(text); }

  bool begun() const { return begun_; }

 private:
  const RunFolder& run_;
  const TrainingRequest& request_;
  const TrainJob& job_;
  TrainObserver& next_;
  bool begun_ = false;
};

/// Notes in run.json why the run failed. Returns the error with what of the run is left.
Error Explain(const RunFolder& run, const Error& error) {
  std::string message = error.what();
  if (error.code() == ExitCode::kIo) message += "; then go on with: " + ResumeCommand(run);
  if (error.code() == ExitCode::kDiverged) {
    const bool any = std::filesystem::exists(run.checkpoints() / "best.safetensors");
    message += any ? "; the best epoch so far is kept in " + run.path().string() : "; no epoch was finished";
  }
  try {
    run.UpdateRun({{"status", "failed"}, {"error", message}});
  } catch (const Error&) {  // the disk is full, say: the first error is the one to tell
  }
  return Error(error.code(), message);
}

/// An error before the first step (a checkpoint that doesn't fit, a full disk) leaves a resumed run as it was, and no
/// folder of a new one.
TrainOutcome TrainAndRecord(const RunFolder& run, const TrainingRequest& request, TrainJob job) {
  const auto progress = MakeProgress(request.json    ? ProgressStyle::kJson
                                     : request.quiet ? ProgressStyle::kQuiet
                                                     : ProgressStyle::kAuto);
  Recorder recorder(run, request, job, *progress);
  job.observer = &recorder;
  try {
    return Train(job, request.resume);
  } catch (const Error& error) {
    if (recorder.begun()) throw Explain(run, error);
    std::error_code ignored;
    if (!request.resumed_folder) std::filesystem::remove_all(run.path(), ignored);
    throw;
  }
}

int TrainAndReport(const RunFolder& run, const TrainingRequest& request, const TrainJob& job) {
  if (!request.json && !request.quiet) PrintPlan(job, run);
  CatchStopSignals();
  const TrainOutcome outcome = TrainAndRecord(run, request, job);
  // A resumed run may have been given its data at another place; that this is the same data, Train has checked.
  const auto note_end = [&](const char* status) {
    run.UpdateRun({{"status", status},
                   {"epochs_done", outcome.state.epochs_done},
                   {"stopped_early", outcome.end == TrainEnd::kStoppedEarly},
                   {"train_seconds", outcome.state.seconds()},
                   {"data", {{"source", LastingName(request.data)}}}});
  };
  if (outcome.end == TrainEnd::kInterrupted) {
    note_end("stopped");
    if (request.json)
      std::puts(DumpJson({{"event", "stopped"}, {"run", run.path().string()}, {"resume", ResumeCommand(run)}}).c_str());
    std::fprintf(stderr, "stopped by a signal; everything is saved. Go on with: %s\n", ResumeCommand(run).c_str());
    return static_cast<int>(ExitCode::kStopped);
  }
  try {
    const auto [split, evaluation] = WriteFinishedRun(job, outcome.state, run);
    note_end("finished");
    PrintResult(request, run, outcome, split, evaluation, job.model.classes);
  } catch (const Error& error) {
    throw Explain(run, error);
  }
  return 0;
}

}  // namespace

int RunTraining(const TrainingRequest& request) {
  const TrainSettings& settings = request.settings;
  const Compute compute = PrepareCompute(settings.compute);
  const Dataset data = LoadWithProgress(request.data, ToLoadOptions(settings.data, compute.threads), request.quiet);
  NoteSkipped(data);
  const Splits splits = MakeSplits(data, settings.data.validation_fraction, settings.data.test_fraction,
                                   static_cast<uint64_t>(settings.seed));
  ClassWeights(settings.class_weights, data.classes, ClassCounts(data, splits.train));  // refuses a wrong one
  Model model = NewModel(settings, data, splits);
  model.network.MoveTo(compute.device);
  const RunFolder run = request.open();
  return TrainAndReport(run, request,
                        {.settings = settings,
                         .data = data,
                         .splits = splits,
                         .compute = compute,
                         .model = model,
                         .checkpoint_folder = run.checkpoints()});
}

}  // namespace spotter
