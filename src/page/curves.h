// SPDX-License-Identifier: Apache-2.0
// The curves of one or several runs, for pages and for picture files alike.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "draw/chart.h"
#include "train/history.h"

namespace spotter {

/// A run's history under the name that a legend gives it.
struct NamedHistory {
  std::string name;
  const TrainState& state;
};

/// A chart, and the word that its file is named by: "loss", "accuracy", "learning_rate", "images_per_second".
struct Curve {
  std::string name;
  LineChart chart;
};

/// The four curves by epoch. Of one run: training and validation, the best epoch marked; of several: a line a run, of
/// the validation (of the training where a run has none).
std::vector<Curve> MakeCurves(const std::vector<NamedHistory>& runs);

}  // namespace spotter
