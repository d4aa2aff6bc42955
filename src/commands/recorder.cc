// SPDX-License-Identifier: Apache-2.0
#include "commands/recorder.h"

#include <torch/headeronly/version.h>

#include "base/host.h"
#include "base/text.h"
#include "base/version.h"
#include "commands/load.h"
#include "train/advice.h"

namespace spotter {
namespace {

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
                                         ShellWord(std::filesystem::absolute(run.recipe_file()).string()))},
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

}  // namespace

Recorder::Recorder(const RunFolder& run, const TrainingRequest& request, const TrainJob& job,
                   std::vector<TrainObserver*> others)
    : run_(run),
      request_(request),
      job_(job),
      others_(std::move(others)),
      tensorboard_(run.path() / "tensorboard", request.resume) {}

void Recorder::OnBegin() {
  WriteBeginning(run_, request_, job_);
  begun_ = true;
  for (TrainObserver* other : others_) other->OnBegin();
  if (!request_.note.empty()) OnNote(request_.note);
  Advise({});
}

void Recorder::OnStep(const StepReport& report) {
  for (TrainObserver* other : others_) other->OnStep(report);
}

void Recorder::OnEpoch(const TrainState& state, bool best) {
  state_ = state;
  run_.WriteHistory(state);
  tensorboard_.AddEpoch(state.history.back());
  for (TrainObserver* other : others_) other->OnEpoch(state, best);
  Advise(state.history);
}

void Recorder::OnNote(const std::string& text) {
  for (TrainObserver* other : others_) other->OnNote(text);
}

void Recorder::Advise(const std::vector<EpochRecord>& history) {
  for (const Advice& advice : spotter::Advise(history, request_.settings, ClassCounts(job_.data, job_.splits.train),
                                              ClassCounts(job_.data, job_.splits.validation))) {
    if (advised_.insert(advice.topic).second) OnNote(advice.text);
  }
}

}  // namespace spotter
