// SPDX-License-Identifier: Apache-2.0
// The data of a run, as the run had it.
#pragma once

#include <string>

#include "data/dataset.h"
#include "evaluate/compute.h"
#include "report/run_folder.h"
#include "train/settings.h"

namespace spotter {

struct RunData {
  Dataset data;
  Splits splits;
};

/// Reads and divides a finished run's own data; `elsewhere`: where it lies now, "" for where it lay. Throws
/// Error(kData) when it is not there any more, or has changed.
RunData LoadRunData(const RunFolder& run, const TrainSettings& settings, const std::string& elsewhere, int threads);

}  // namespace spotter
