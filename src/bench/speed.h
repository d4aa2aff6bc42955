// SPDX-License-Identifier: Apache-2.0
// Images a second of a whole network, in training and in use.
#pragma once

#include <string>

#include "bench/timing.h"
#include "evaluate/compute.h"
#include "model_file/model_file.h"
#include "train/profile.h"
#include "train/settings.h"

namespace spotter {

struct Speed {
  int64_t batch_size = 0;
  Quantiles images_per_second;
  Quantiles batch_ms;
};

struct TrainingSpeed {
  Speed speed;
  Profile profile;  // of the steps that warmed up, too
};

/// Training steps on noise images with random labels (what an image shows does not change how long a step takes), of
/// the settings' image size or 32: images gathered and augmented, forward, loss, backward, optimizer. All layers learn
/// but the bias of a whitening convolution, and the backward pass is for all images, whatever the settings leave out
/// later on.
TrainingSpeed TimeTraining(const TrainSettings& settings, int64_t classes, const Compute& compute,
                           const Effort& effort);

/// Batches of noise images through the model, from their bytes to logits on the CPU; one view of each, whatever the
/// model says.
Speed TimeInference(const Model& model, int64_t batch_size, const Compute& compute, const Effort& effort);

/// The model that these settings start from, for noise images.
Model NoiseModel(const TrainSettings& settings, int64_t classes);

}  // namespace spotter
