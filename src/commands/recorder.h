// SPDX-License-Identifier: Apache-2.0
// Keeps a run's folder up to date while it trains, says when something is off, and passes everything on.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "commands/training_run.h"
#include "page/tensorboard_log.h"
#include "report/run_folder.h"
#include "train/trainer.h"

namespace spotter {

class Recorder : public TrainObserver {
 public:
  /// All that is given must outlive it.
  Recorder(const RunFolder& run, const TrainingRequest& request, const TrainJob& job,
           std::vector<TrainObserver*> others);

  void OnBegin() override;
  void OnStep(const StepReport& report) override;
  void OnEpoch(const TrainState& state, bool best) override;
  void OnNote(const std::string& text) override;

  bool begun() const { return begun_; }               // the run's folder holds a run
  const TrainState& state() const { return state_; }  // after the last epoch that it was told of
  TensorBoardLog& tensorboard() { return tensorboard_; }

 private:
  /// Each piece of advice is said once.
  void Advise(const std::vector<EpochRecord>& history);

  const RunFolder& run_;
  const TrainingRequest& request_;
  const TrainJob& job_;
  std::vector<TrainObserver*> others_;
  TensorBoardLog tensorboard_;
  std::set<std::string> advised_;
  TrainState state_;
  bool begun_ = false;
};

}  // namespace spotter
