// SPDX-License-Identifier: Apache-2.0
#include "commands/training_text.h"

#include <cstdio>

#include "base/files.h"
#include "base/text.h"
#include "bench/machine.h"
#include "report/tables.h"

namespace spotter {

void PrintResult(const TrainingRequest& request, const RunFolder& run, const TrainOutcome& outcome,
                 const Results& results, const std::vector<std::string>& classes) {
  const std::string& split = results.split;
  const double train_seconds = outcome.state.seconds();
  const bool early = outcome.end == TrainEnd::kStoppedEarly;
  if (request.json) {
    const Json json = {{"event", "result"},
                       {"run", run.path().string()},
                       {"model", run.model_file().string()},
                       {"best_epoch", outcome.state.best_epoch},
                       {"epochs", outcome.state.epochs_done},
                       {"stopped_early", early},
                       {"train_seconds", train_seconds},
                       {"evaluated_on", split},
                       {split, ToJson(results.evaluation, classes)}};
    std::puts(DumpJson(json).c_str());
    return;
  }
  std::printf("\n%s", EvaluationText(results.evaluation, classes).c_str());
  const char* where = split == "test"         ? "the test images"
                      : split == "validation" ? "the validation images (there are no test images)"
                                              : "the training images (there are no others)";
  std::printf("\nEvaluated on %s. %s %lld epoch%s in %s, best epoch %lld.\n", where,
              early ? "Stopped early after" : "Trained", static_cast<long long>(outcome.state.epochs_done),
              outcome.state.epochs_done == 1 ? "" : "s", HumanSeconds(train_seconds).c_str(),
              static_cast<long long>(outcome.state.best_epoch));
  const std::string path = ShellWord(run.path().string());
  const std::string more = early ? fmt::format("--early-stopping {}", 2 * request.settings.early_stopping)
                                 : fmt::format("--epochs {}", outcome.state.epochs_done + 10);
  std::printf(
      "Everything is in %s: report.html to look at, model.safetensors, pictures/, metrics.csv, metrics.json, "
      "predictions.csv, per_class.csv, confusion_matrix.csv, tensorboard/, recipe.toml\n"
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

void ShowProfile(const TrainingRequest& request, const RunFolder& run, const Compute& compute, const Profile& profile) {
  const double peak = PeakGflops(compute.threads, EngineRuns(compute));
  const Json json = ProfileJson(profile, peak);
  const std::string text = ProfileText(profile, peak);
  WriteFileAtomically(run.path() / "profile.txt", text);
  run.UpdateRun({{"profile", json}});
  if (request.json) {
    Json event = {{"event", "profile"}};
    event.update(json);
    std::puts(DumpJson(event).c_str());
  } else {
    std::printf("\nWhere the time went (profile.txt):\n%s", text.c_str());
  }
}

}  // namespace spotter
