// SPDX-License-Identifier: Apache-2.0
// From indices into a data set to a batch of network input, augmented on the way.
//
// What an image looks like in an epoch is a pure function of (seed, epoch, index): the number of threads, the batch it
// falls into and where a run was stopped and resumed can't change it.
#pragma once

#include <cstdint>
#include <span>

#include "augment/preprocessing.h"
#include "data/dataset.h"

namespace spotter {

enum class ShiftFill {
  kReflect,  // what is shifted in mirrors the image, the border row itself not repeated (as numpy.pad "reflect")
  kZero,     // black pixels (before normalisation)
};

struct Augmentation {
  bool flip = false;  // left-right, with probability 1/2
  int shift = 0;      // pixels; both axes by a whole number, uniform in [-shift, shift]. At most half the smaller side.
  ShiftFill fill = ShiftFill::kReflect;
  // With flip: each image is mirrored in every second epoch, in which half of them is drawn once an image. Jordan 2024.
  bool alternating = false;
  double brightness = 0;  // of the network's input, x: (x + b) * (1 + c), with one b and one c an image,
  double contrast = 0;    //   b uniform in +-brightness, c in +-contrast
  // Pixels: last of all a square of so many a side becomes 0, the mean where inputs are normalised. DeVries & Taylor,
  // "Improved Regularization of Convolutional Neural Networks with Cutout" (2017); wholly inside the image, as Jordan
  // 2024. Below the smaller side.
  int cutout = 0;
};

/// Whether an image is not always itself.
bool Augments(const Augmentation& augmentation);

/// How one image is laid out in a batch: flipped first, then moved down by dy and right by dx.
struct Placement {
  bool flip = false;
  int dy = 0;
  int dx = 0;
};
Placement DrawPlacement(const Augmentation& augmentation, uint64_t seed, int64_t epoch, int64_t index);

/// What is added to an image's normalised values, and by what their sum is multiplied.
struct Jitter {
  float shift = 0;
  float factor = 1;
};
Jitter DrawJitter(const Augmentation& augmentation, uint64_t seed, int64_t epoch, int64_t index);

/// The upper left corner of the square that is cut out: uniform over the places where it is wholly inside.
struct Corner {
  int y = 0;
  int x = 0;
};
Corner DrawCutout(const Augmentation& augmentation, const ImageShape& shape, uint64_t seed, int64_t epoch,
                  int64_t index);

/// Writes images as network input: out is (indices.size(), H, W, C), C order, fp32.
void WriteBatch(const Dataset& data, std::span<const int64_t> indices, const Preprocessing& preprocessing, float* out);

/// The same with augmentation, as drawn for this seed and epoch.
void WriteAugmentedBatch(const Dataset& data, std::span<const int64_t> indices, const Preprocessing& preprocessing,
                         const Augmentation& augmentation, uint64_t seed, int64_t epoch, float* out);

}  // namespace spotter
