// SPDX-License-Identifier: Apache-2.0
#include "commands/training_run.h"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "commands/load.h"
#include "commands/recorder.h"
#include "commands/training_text.h"
#include "evaluate/evaluation.h"
#include "page/write_report.h"
#include "report/progress.h"
#include "report/tables.h"
#include "serve/live_page.h"
#include "train/class_weights.h"
#include "train/new_model.h"

namespace spotter {
namespace {

std::string ResumeCommand(const RunFolder& run) { return "spotter train --resume " + ShellWord(run.path().string()); }

/// Gives the finished model its temperature, measures it on the images that took no part in training, and writes what
/// programs read of that into the run's folder.
Results WriteFinishedRun(const TrainJob& job, const TrainState& state, const RunFolder& run) {
  FitTemperature(job.model, job.data, job.splits.validation, job.compute);
  Results results = EvaluateFinished(job.model, job.data, job.splits, job.compute);
  const Metrics& metrics = results.evaluation.metrics;
  job.model.test = {results.split, metrics.images, metrics.accuracy, metrics.accuracy_interval};
  SaveModel(run.model_file(), job.model,
            {{"epoch", std::to_string(job.settings.keep == "best" ? state.best_epoch : state.epochs_done)}});
  run.WriteHistory(state);
  run.WriteResults(state, results.split, results.evaluation, job.model.classes);
  run.WritePredictions(PredictionsCsv(job.data, job.model.classes, results.indices, results.evaluation));
  return results;
}

/// Where the time went, in seconds.
Json Phases(const TrainState& state, size_t training_images, double loading, double evaluation) {
  double training = 0;
  for (const EpochRecord& epoch : state.history)
    training += epoch.images_per_second > 0 ? static_cast<double>(training_images) / epoch.images_per_second : 0;
  return {{"loading the data", loading},
          {"training", training},
          {"validation and checkpoints", std::max(0.0, state.seconds() - training)},
          {"evaluation", evaluation}};
}

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

/// A run that ended before it ever finished has a page too, of what there is. `line`: what the live page says.
void ReportUnfinished(const RunFolder& run, const TrainJob& job, const TrainState& state, LivePage* live,
                      const std::string& line) {
  const Json record = run.ReadRun();
  const ReportInput input{.name = run.name(),
                          .run = record,
                          .recipe = ReadFile(run.recipe_file()),
                          .settings = job.settings,
                          .state = state,
                          .data = job.data,
                          .splits = job.splits,
                          .network = job.model.network,
                          .preprocessing = job.model.preprocessing};
  if (!PathExists(run.model_file())) WriteReport(run, input);
  if (live != nullptr) live->Finish(input, line);
}

/// An error before the first step (a checkpoint that doesn't fit, a full disk) leaves a resumed run as it was, and no
/// folder of a new one.
TrainOutcome TrainAndRecord(const RunFolder& run, const TrainingRequest& request, TrainJob job, Recorder& recorder,
                            LivePage* live) {
  job.observer = &recorder;
  try {
    return Train(job, request.resume);
  } catch (const Error& error) {
    if (recorder.begun()) {
      const Error explained = Explain(run, error);
      try {
        ReportUnfinished(run, job, recorder.state(), live, std::string("The run failed: ") + explained.what());
      } catch (const Error&) {  // the first error is the one to tell
      }
      throw explained;
    }
    std::error_code ignored;
    if (!request.resumed_folder) std::filesystem::remove_all(run.path(), ignored);
    throw;
  } catch (const std::exception& error) {  // memory, or a mistake of ours
    if (recorder.begun()) Explain(run, Error(ExitCode::kInternal, error.what()));
    throw;
  }
}

/// What run.json says of a run that has ended.
Json Ending(const TrainingRequest& request, const TrainOutcome& outcome, const char* status) {
  return {{"status", status},
          {"epochs_done", outcome.state.epochs_done},
          {"stopped_early", outcome.end == TrainEnd::kStoppedEarly},
          {"train_seconds", outcome.state.seconds()},
          // A resumed run may have been given its data at another place; that it is the same, Train has checked.
          {"data", {{"source", LastingName(request.data)}}}};
}

int SayStopped(const RunFolder& run, const TrainingRequest& request) {
  if (request.json)
    std::puts(DumpJson({{"event", "stopped"}, {"run", run.path().string()}, {"resume", ResumeCommand(run)}}).c_str());
  std::fprintf(stderr, "stopped by a signal; everything is saved. Go on with: %s\n", ResumeCommand(run).c_str());
  return static_cast<int>(ExitCode::kStopped);
}

/// What comes after training: the model, its results, and all that shows them. The run counts as finished when all is
/// written; killed before that, it is resumed here.
Results Finish(const RunFolder& run, const TrainingRequest& request, const TrainJob& job, const TrainOutcome& outcome,
               Profile& profile, TensorBoardLog& tensorboard, LivePage* live) {
  if (live != nullptr) live->Say("Training is over; the model is measured and the report written.");
  const Stopwatch watch;
  Results results = WriteFinishedRun(job, outcome.state, run);
  profile.evaluation = watch.Seconds();
  run.UpdateRun({{"seconds", Phases(outcome.state, job.splits.train.size(), profile.loading, profile.evaluation)}});
  const Stopwatch report;
  results.gallery = MakeGallery(job.model, job.data, results.indices, results.evaluation, job.compute);
  Json ending = Ending(request, outcome, "finished");
  Json record = run.ReadRun();
  record.merge_patch(ending);
  const ReportInput input{.name = run.name(),
                          .run = record,
                          .recipe = ReadFile(run.recipe_file()),
                          .settings = job.settings,
                          .state = outcome.state,
                          .data = job.data,
                          .splits = job.splits,
                          .network = job.model.network,
                          .preprocessing = job.model.preprocessing,
                          .results = &results};
  WriteReport(run, input);
  tensorboard.AddResults(input);
  profile.report = report.Seconds();
  ending["report_seconds"] = profile.report;
  run.UpdateRun(ending);
  if (live != nullptr)
    live->Finish(input, "The run has finished. This is its report, kept as report.html in its folder.");
  return results;
}

/// `watch` and `profile` began with the run.
int TrainAndReport(const RunFolder& run, const TrainingRequest& request, const TrainJob& job, const Stopwatch& watch,
                   Profile profile, LivePage* live) {
  if (!request.json && !request.quiet) PrintPlan(job, run);
  if (!StopRequested()) CatchStopSignals();  // a signal that came while a series went from run to run counts
  auto progress = MakeProgress(request.json    ? ProgressStyle::kJson
                               : request.quiet ? ProgressStyle::kQuiet
                                               : ProgressStyle::kAuto);
  std::vector<TrainObserver*> others = {progress.get()};
  if (live != nullptr) {
    live->SetRun(run);
    others.push_back(live);
  }
  Recorder recorder(run, request, job, others);
  const TrainOutcome outcome = TrainAndRecord(run, request, job, recorder, live);
  progress.reset();  // clears its line; there are no more steps to tell
  profile = Joined(profile, outcome.profile);
  if (outcome.end == TrainEnd::kInterrupted) {
    run.UpdateRun(Ending(request, outcome, "stopped"));
    ReportUnfinished(run, job, outcome.state, live, "The run was stopped. Go on with: " + ResumeCommand(run));
    profile.wall = watch.Seconds();
    if (request.profile) ShowProfile(request, run, job.compute, profile);
    return SayStopped(run, request);
  }
  try {
    const Results results = Finish(run, request, job, outcome, profile, recorder.tensorboard(), live);
    PrintResult(request, run, outcome, results, job.model.classes);
    profile.wall = watch.Seconds();
    if (request.profile) ShowProfile(request, run, job.compute, profile);
  } catch (const Error& error) {
    throw Explain(run, error);
  }
  return 0;
}

std::unique_ptr<LivePage> StartLivePage(const TrainingRequest& request, const Dataset& data, const Splits& splits,
                                        const Model& model) {
  if (!request.live_port) return nullptr;
  auto live = std::make_unique<LivePage>(*request.live_port, data, splits, request.settings, model.network,
                                         model.preprocessing);
  if (request.json) {
    std::puts(DumpJson({{"event", "live"}, {"url", live->url()}}).c_str());
    std::fflush(stdout);
  } else {
    std::fprintf(stderr, "live report: %s\n", live->url().c_str());
  }
  return live;
}

}  // namespace

int RunTraining(const TrainingRequest& request) {
  const Stopwatch watch;
  const TrainSettings& settings = request.settings;
  const Compute compute = PrepareCompute(settings.compute);
  const Dataset data = LoadWithProgress(request.data, ToLoadOptions(settings.data, compute.threads), request.quiet);
  NoteSkipped(data);
  Profile profile{.loading = watch.Seconds()};
  const Splits splits = MakeSplits(data, settings.data.validation_fraction, settings.data.test_fraction,
                                   static_cast<uint64_t>(settings.seed));
  ClassWeights(settings.class_weights, data.classes, ClassCounts(data, splits.train));  // refuses a wrong one
  Model model = NewModel(settings, data, splits);
  const auto live = StartLivePage(request, data, splits, model);
  model.network.MoveTo(compute.device);
  profile.preparing = watch.Seconds() - profile.loading;
  const RunFolder run = request.open();
  return TrainAndReport(run, request,
                        {.settings = settings,
                         .data = data,
                         .splits = splits,
                         .compute = compute,
                         .model = model,
                         .checkpoint_folder = run.checkpoints()},
                        watch, profile, live.get());
}

}  // namespace spotter
