// SPDX-License-Identifier: Apache-2.0
// A training run from data to report: what `spotter train` does once its settings are known.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "report/run_folder.h"
#include "train/settings.h"

namespace spotter {

struct TrainingRequest {
  std::string data;  // a name or a path
  TrainSettings settings;
  bool resume = false;          // go on from the folder's last checkpoint
  bool resumed_folder = false;  // the folder was there before: it is not removed when the run can't begin
  std::string note = {};        // told when the run begins
  bool json = false;
  bool quiet = false;
  bool profile = false;               // show where the time went
  std::optional<int> live_port = {};  // serve the report at this port of 127.0.0.1 while training; 0: any that is free
  /// Makes or opens the run's folder; called only when data and network are known to work, so that a mistake leaves no
  /// empty folder behind.
  std::function<RunFolder()> open = {};
};

/// Loads, divides, builds, trains, evaluates, and writes the run's folder; prints the progress and the result. Returns
/// the exit code: 0, or that of a run stopped by a signal. Throws Error.
int RunTraining(const TrainingRequest& request);

}  // namespace spotter
