// SPDX-License-Identifier: Apache-2.0
// What happens to an image before it enters the network. Stored in the model file, and used by training, evaluation,
// prediction and serving alike.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/image.h"

namespace spotter {

/// The views of an image that a trained network is asked about; its answer is the weighted mean of their logits.
///   1: the image. 2: it and its mirror, half each. 6 (Jordan 2024): those two with a quarter each, and both of the
///   image moved by one pixel down and right, and up and left, the border mirrored, with an eighth each.
struct Views {
  int count = 1;
  double below = 1;  // only images whose largest probability from one view is below this get the others; 1: all
};

/// Throws Error(kUsage) for another count than 1, 2, 6, a share outside [0, 1], or 6 of images with a side below 2.
void CheckViews(const Views& views, const ImageShape& shape);

struct Preprocessing {
  ImageShape shape;  // images are decoded, then fitted to it by `resize`
  ResizePolicy resize = ResizePolicy::kStretch;
  // network input = (pixel / 255 - mean[c]) / std[c]; the first `shape.channels` count
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> std = {1, 1, 1};
  Views views = {};  // when the network is used and tested, not in training
};

/// The words for the policies, as options and model files have them. FromName throws Error(kUsage).
const std::vector<std::string>& ResizePolicyNames();  // "stretch", "crop", "pad"
const std::string& ResizePolicyName(ResizePolicy policy);
ResizePolicy ResizePolicyFromName(const std::string& name);

/// Mean and standard deviation of each channel over the images at `indices`, in units of pixel / 255. A constant
/// channel, or nearly (a deviation below 0.03 grey levels), gets std 1. Exact (integer sums), whatever the number of
/// threads.
void MeasureNormalization(const Dataset& data, const std::vector<int64_t>& indices, Preprocessing& preprocessing);

}  // namespace spotter
