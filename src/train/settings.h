// SPDX-License-Identifier: Apache-2.0
// All that a training run can be told: one struct of plain values, and one list that declares each as an option.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "augment/batch.h"
#include "data/load.h"
#include "evaluate/compute.h"
#include "optimize/optimizer.h"
#include "optimize/schedule.h"
#include "options/option.h"

namespace spotter {

/// How a data set is read and divided.
struct DataSettings {
  int64_t image_size = 0;
  std::string resize = "stretch";
  double validation_fraction = 0.1;
  double test_fraction = 0.1;
  bool strict = false;
};

struct TrainSettings {
  DataSettings data;
  std::string normalize = "standard";  // standard: by the training images' mean and deviation; unit: to [0, 1]
  std::string model = "cnn";
  int64_t epochs = 30;
  int64_t batch_size = 64;
  int64_t seed = 0;
  double label_smoothing = 0;
  std::string class_weights = "none";
  OptimizerSettings optimizer;
  ScheduleSettings schedule;
  double backward_share = 1;  // of a batch's images (backward_share.h)
  int64_t backward_share_after = 0;
  std::string freeze_through = "none";
  double freeze_after = 0.5;
  int64_t early_stopping = 0;
  std::string monitor = "validation-loss";
  std::string keep = "best";
  bool flip = false;
  int64_t shift = 0;
  std::string shift_fill = "reflect";
  bool alternating_flip = false;
  int64_t cutout = 0;
  double brightness = 0;
  double contrast = 0;
  int64_t views = 1;
  double views_below = 1;
  ComputeSettings compute;
};

/// The options, bound to the members of `settings`, which must outlive them.
std::vector<Option> DataOptions(DataSettings& settings);
std::vector<Option> ComputeOptions(ComputeSettings& settings);
std::vector<Option> TrainOptions(TrainSettings& settings);  // all, the two above among them

/// What the loader and the batch maker are told.
LoadOptions ToLoadOptions(const DataSettings& settings, int threads);
Augmentation ToAugmentation(const TrainSettings& settings);

}  // namespace spotter
