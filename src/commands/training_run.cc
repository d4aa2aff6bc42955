// SPDX-License-Identifier: Apache-2.0
#include "commands/training_run.h"

#include <torch/headeronly/version.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/host.h"
#include "base/stop_signal.h"
#include "base/text.h"
#include "base/version.h"
#include "commands/load.h"
#include "evaluate/evaluator.h"
#include "report/progress.h"
#include "report/tables.h"
#include "train/class_weights.h"
#include "train/new_model.h"

namespace spotter {
namespace {

/// Passes everything on, and keeps metrics.csv up to date.
class Recorder : public TrainObserver {
 public:
  Recorder(const RunFolder& run, TrainObserver& next) : run_(run), next_(next) {}
  void OnStep(const StepReport& report) override { next_.OnStep(report); }
  void OnEpoch(const TrainState& state, bool best) override {
    run_.WriteHistory(state);
    next_.OnEpoch(state, best);
  }
  void OnNote(const std::string& text) override { next_.OnNote(text); }

 private:
  const RunFolder& run_;
  TrainObserver& next_;
};

/// The data as a later command, run from elsewhere, finds it again: a path becomes absolute, a name stays.
std::string LastingName(const std::string& data) {
  return std::filesystem::exists(data) ? std::filesystem::absolute(data).lexically_normal().string() : data;
}

/// The word as a shell takes it back.
std::string ShellWord(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("_./-+=:,@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string ResumeCommand(const RunFolder& run) { return "spotter train --resume " + ShellWord(run.path().string()); }

/// Evaluates the finished model on the images that took no part in training, and writes what the run folder
/// holds. Returns the name of the split and its metrics.
std::pair<std::string, Metrics> WriteFinishedRun(const TrainJob& job, const TrainState& state, const RunFolder& run) {
  SaveModel(run.model_file(), job.model,
            {{"epoch", std::to_string(job.settings.keep == "best" ? state.best_epoch : state.epochs_done)}});
  const bool has_test = !job.splits.test.empty();
  const std::string split = has_test ? "test" : job.splits.validation.empty() ? "train" : "validation";
  const auto& indices = has_test                        ? job.splits.test
                        : job.splits.validation.empty() ? job.splits.train
                                                        : job.splits.validation;
  const auto labels = LabelsOf(job.data, indices);
  const auto logits = ComputeLogits(job.model.network, job.model.preprocessing, job.data, indices, job.compute);
  const Metrics metrics = ComputeMetrics(labels, logits, job.model.network.classes());
  run.WriteHistory(state);
  run.WriteResults(state, split, metrics, job.model.classes);
  run.WritePredictions(PredictionsCsv(job.data, job.model.classes, indices, labels, logits));
  return {split, metrics};
}

void PrintResult(const TrainingRequest& a, const RunFolder& run, const TrainOutcome& outcome, const std::string& split,
                 const Metrics& metrics, const std::vector<std::string>& classes, double train_seconds) {
  if (a.json) {
    const Json json = {{"event", "result"},
                       {"run", run.path().string()},
                       {"model", run.model_file().string()},
                       {"best_epoch", outcome.state.best_epoch},
                       {"epochs", outcome.state.epochs_done},
                       {"train_seconds", train_seconds},
                       {"evaluated_on", split},
                       {split, ToJson(metrics, classes)}};
    std::puts(DumpJson(json).c_str());
    return;
  }
  std::printf("\n%s", MetricsText(metrics, classes).c_str());
  const char* where = split == "test"         ? "the test images"
                      : split == "validation" ? "the validation images (there are no test images)"
                                              : "the training images (there are no others)";
  std::printf("\nEvaluated on %s. %s %lld epochs in %s, best epoch %lld.\n", where,
              outcome.end == TrainEnd::kStoppedEarly ? "Stopped early after" : "Trained",
              static_cast<long long>(outcome.state.epochs_done), HumanSeconds(train_seconds).c_str(),
              static_cast<long long>(outcome.state.best_epoch));
  const std::string path = ShellWord(run.path().string());
  std::printf(
      "Everything is in %s: model.safetensors, metrics.csv, metrics.json, predictions.csv, per_class.csv, "
      "confusion_matrix.csv, recipe.toml\n"
      "Next:\n  spotter predict %s IMAGE...\n  spotter evaluate %s\n  spotter train --resume %s --epochs "
      "%lld\n",
      path.c_str(), path.c_str(), path.c_str(), path.c_str(), static_cast<long long>(outcome.state.epochs_done + 10));
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

/// Trains; an error is written into run.json as well, and says what of the run is left.
TrainOutcome TrainOrExplain(const RunFolder& run, const TrainJob& job, bool resume) {
  try {
    return Train(job, resume);
  } catch (const Error& error) {
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
    throw Error(error.code(), message);
  }
}

int TrainAndReport(const TrainingRequest& a, const RunFolder& run, const TrainJob& job, bool resume) {
  if (!a.json && !a.quiet) PrintPlan(job, run);
  const auto begin = std::chrono::steady_clock::now();
  CatchStopSignals();
  const TrainOutcome outcome = TrainOrExplain(run, job, resume);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  double total = seconds;
  if (resume) total += run.ReadRun().value("train_seconds", 0.0);
  if (outcome.end == TrainEnd::kInterrupted) {
    run.UpdateRun(
        {{"status", "stopped"}, {"train_seconds", total}, {"data", {{"source", LastingName(job.data.source)}}}});
    if (a.json)
      std::puts(DumpJson({{"event", "stopped"}, {"run", run.path().string()}, {"resume", ResumeCommand(run)}}).c_str());
    std::fprintf(stderr, "stopped by a signal; everything is saved. Go on with: %s\n", ResumeCommand(run).c_str());
    return static_cast<int>(ExitCode::kStopped);
  }
  const auto [split, metrics] = WriteFinishedRun(job, outcome.state, run);
  run.UpdateRun(
      {{"status", "finished"}, {"train_seconds", total}, {"data", {{"source", LastingName(job.data.source)}}}});
  PrintResult(a, run, outcome, split, metrics, job.model.classes, total);
  return 0;
}

/// What a run is made of, written before its first step.
struct Beginning {
  const TrainSettings& settings;
  const Dataset& data;
  const Splits& splits;
  const Compute& compute;
};

/// run.json says that the run is under way before recipe.toml says for how long, so that a run which was
/// finished, goes on, and is killed in between does not look finished.
void WriteBeginning(const RunFolder& run, const std::string& data_name, const Beginning& b, bool resume) {
  if (resume) {
    run.UpdateRun({{"status", "started"}, {"error", nullptr}});
    run.WriteRecipe(b.settings);
    return;
  }
  run.WriteRecipe(b.settings);
  const std::string source = LastingName(data_name);
  run.UpdateRun({{"status", "started"},
                 {"error", nullptr},
                 {"command", fmt::format("spotter train {} --recipe {}", ShellWord(source),
                                         ShellWord(run.recipe_file().string()))},
                 {"data",
                  {{"source", source},
                   {"layout", b.data.layout},
                   {"fingerprint", b.data.fingerprint},
                   {"skipped", b.data.skipped.size()},
                   {"train", b.splits.train.size()},
                   {"validation", b.splits.validation.size()},
                   {"test", b.splits.test.size()}}},
                 {"versions",
                  {{"spotter", kVersion},
                   {"commit", kCommit},
                   {"build", kBuildType},
                   {"compiler", kCompiler},
                   {"libtorch", TORCH_VERSION}}},
                 {"host", DescribeHost()},
                 {"compute",
                  {{"device", b.compute.device.str()},
                   {"precision", PrecisionName(b.compute.precision)},
                   {"threads", b.compute.threads}}}});
}

}  // namespace

int RunTraining(const TrainingRequest& request) {
  const TrainSettings& settings = request.settings;
  const Compute compute = PrepareCompute(settings.compute);
  const Dataset data =
      LoadWithProgress(request.data, ToLoadOptions(settings.data, compute.threads), request.json || request.quiet);
  NoteSkipped(data);
  const Splits splits = MakeSplits(data, settings.data.validation_fraction, settings.data.test_fraction,
                                   static_cast<uint64_t>(settings.seed));
  ClassWeights(settings.class_weights, data.classes, ClassCounts(data, splits.train));  // refuses a wrong one
  Model model = NewModel(settings, data, splits);
  model.network.MoveTo(compute.device);
  const RunFolder run = request.open();
  try {
    WriteBeginning(run, request.data, {settings, data, splits, compute}, request.resume);
  } catch (const Error&) {
    std::error_code ignored;
    if (!request.resumed_folder)
      std::filesystem::remove_all(run.path(), ignored);  // it was made just now, and holds nothing yet
    throw;
  }
  const auto progress = MakeProgress(request.json    ? ProgressStyle::kJson
                                     : request.quiet ? ProgressStyle::kQuiet
                                                     : ProgressStyle::kAuto);
  Recorder recorder(run, *progress);
  const TrainJob job{.settings = settings,
                     .data = data,
                     .splits = splits,
                     .compute = compute,
                     .model = model,
                     .checkpoint_folder = run.checkpoints(),
                     .observer = recorder};
  return TrainAndReport(request, run, job, request.resume);
}

}  // namespace spotter
