// SPDX-License-Identifier: Apache-2.0
// Which images of a batch the backward pass is for: selective backpropagation (Jiang et al., "Accelerating Deep
// Learning by Focusing on the Biggest Losers", 2019), by the gradient's size rather than the loss, and always as many.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace spotter {

/// The rows of a gradient (images, classes) fp32, finite, on the CPU, that have the largest Euclidean norms: `share` of
/// them, in (0, 1], rounded up; ascending. Of equal ones the first.
std::vector<int64_t> LargestRows(const at::Tensor& gradient, double share);

}  // namespace spotter
