// SPDX-License-Identifier: Apache-2.0
// Class activation heat maps: which parts of an image raised a class's logit.
#pragma once

#include <span>
#include <vector>

#include "data/dataset.h"
#include "evaluate/compute.h"
#include "model_file/model_file.h"

namespace spotter {

enum class ExplainMethod {
  kHiResCam,  // Draelos and Carin 2020: gradient times feature, place by place: what did raise the logit
  kGradCam,   // Selvaraju et al. 2017: each feature by its gradient's mean over the map; the better known, but it may
              // show places that the network does not use. The same where a global average and one dense layer follow
};

/// Of the network's input size, row by row. In [0, 1], the largest value 1; all 0 when nothing speaks for the class.
struct HeatMap {
  int height = 0;
  int width = 0;
  std::vector<float> values;  // (height, width)
};

/// Whether the network has a convolution, whose features a heat map shows.
bool CanExplain(const Network& network);

/// What raised the logit of targets[i] in the image at indices[i]. The features are the output of the network's last
/// convolution with its own activation; what is below 0 in their map is cut off, and the rest is brought to the
/// input's size bilinearly. Computed without dropout, in fp32, of the image as it is, whatever the model's views.
/// Throws Error(kModel) when the network has no convolution.
std::vector<HeatMap> ExplainImages(const Model& model, const Dataset& data, std::span<const int64_t> indices,
                                   std::span<const int32_t> targets, const Compute& compute,
                                   ExplainMethod method = ExplainMethod::kHiResCam);

}  // namespace spotter
