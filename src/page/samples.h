// SPDX-License-Identifier: Apache-2.0
// A sheet of training images as the network sees them: augmented as drawn for the first epochs.
#pragma once

#include <string>

#include "data/dataset.h"
#include "draw/pixels.h"
#include "train/settings.h"

namespace spotter {

/// A row a class (of the first ten), in each the first training images of the class, twelve at most; every image as it
/// is and as augmented for epochs 1 to 3 when the settings augment.
Picture Samples(const Dataset& data, const Splits& splits, const TrainSettings& settings,
                const Preprocessing& preprocessing);

/// The same as a data URI of a WebP picture.
std::string SamplesUri(const Dataset& data, const Splits& splits, const TrainSettings& settings,
                       const Preprocessing& preprocessing);

}  // namespace spotter
