// SPDX-License-Identifier: Apache-2.0
// The training loop. It computes, tells an observer, and keeps checkpoints; it prints nothing.
#pragma once

#include <filesystem>

#include "data/dataset.h"
#include "model_file/model_file.h"
#include "train/history.h"
#include "train/profile.h"
#include "train/settings.h"

namespace spotter {

/// Where a run is, after a step.
struct StepReport {
  int64_t epoch = 0;  // counted from 1
  int64_t epochs = 0;
  int64_t step = 0;   // done in this epoch
  int64_t steps = 0;  // of an epoch
  double loss = 0;    // mean over the epoch so far
  double accuracy = 0;
  double images_per_second = 0;
  double data_wait_fraction = 0;
  double seconds_left = 0;  // of the whole run, as it goes now
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void OnBegin() {}  // a checkpoint to resume from has been read and fits; the first step comes next
  virtual void OnStep(const StepReport&) {}
  virtual void OnEpoch(const TrainState&, bool /*best_so_far*/) {}  // its history ends with this epoch
  virtual void OnNote(const std::string& /*text*/) {}               // something that the user should know
};

struct TrainJob {
  const TrainSettings& settings;
  const Dataset& data;
  const Splits& splits;
  Compute compute;
  Model& model;  // trained in place
  std::filesystem::path
      checkpoint_folder;              // best.safetensors (a model) and last.safetensors (a checkpoint) are kept here
  TrainObserver* observer = nullptr;  // must not be null
};

enum class TrainEnd { kFinished, kStoppedEarly, kInterrupted };

struct TrainOutcome {
  TrainEnd end = TrainEnd::kFinished;
  TrainState state;
  Profile profile;  // of the training: not what comes before and after it
};

/// Trains from the start, or goes on from checkpoint_folder/last.safetensors when `resume`. When it ends by itself the
/// model holds the weights that settings.keep asks for. Ends with kInterrupted, a checkpoint saved, soon after
/// StopRequested(). Throws Error(kDiverged) with epoch, step and the learning rate to try when the loss is not finite,
/// Error(kIo) when a checkpoint can't be written (the one before it stays), Error(kModel) when there is none to resume
/// from.
TrainOutcome Train(const TrainJob& job, bool resume);

}  // namespace spotter
