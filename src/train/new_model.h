// SPDX-License-Identifier: Apache-2.0
// The model that a training run starts from.
#pragma once

#include "data/dataset.h"
#include "model_file/model_file.h"
#include "train/settings.h"

namespace spotter {

/// The network that the settings name, for the data's shape and classes, initialised by the seed, its whitening kernel
/// (where it has one) computed from up to 5000 training images, with the preprocessing that the settings ask for
/// (measured on the training images). Throws Error(kUsage) for a network that does not fit the images.
Model NewModel(const TrainSettings& settings, const Dataset& data, const Splits& splits);

}  // namespace spotter
