// SPDX-License-Identifier: Apache-2.0
// What a run's page and pictures are made from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/dataset.h"
#include "evaluate/evaluation.h"
#include "model_file/model_file.h"
#include "page/gallery.h"
#include "train/advice.h"
#include "train/history.h"
#include "train/settings.h"

namespace spotter {

/// A finished model on the images that took no part in training, where there are such.
struct Results {
  std::string split;             // "test"; "validation" or "train" where the data has no others
  std::vector<int64_t> indices;  // in the data set
  Evaluation evaluation;
  Gallery gallery;  // MakeGallery's
};

/// References must outlive the input. Only the network's layers are read, never its weights.
struct ReportInput {
  std::string name;    // the run's, as a title
  const Json& run;     // run.json
  std::string recipe;  // recipe.toml
  const TrainSettings& settings;
  const TrainState& state;
  const Dataset& data;
  const Splits& splits;
  const Network& network;
  const Preprocessing& preprocessing;  // the network's
  const Results* results = nullptr;    // null while the run trains
};

}  // namespace spotter
