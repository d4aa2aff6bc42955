// SPDX-License-Identifier: Apache-2.0
// The plain algorithms that the fast kernels are tested against: loops in double over fp32 values, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/conv_shape.h"

namespace spotter::kernels {

/// x (images, height, width, in), weights (out, kernel, kernel, in), bias (out) or empty -> the outputs before any
/// pool, (images, conv_height, conv_width, out). A convolution as networks have it: no rotation.
std::vector<double> ReferenceConv(const ConvShape& shape, const std::vector<float>& x,
                                  const std::vector<float>& weights, const std::vector<float>& bias);

/// 2x2 max pool of what ReferenceConv gives. where: for each value the window's place 0..3 of the (first) maximum.
std::vector<double> ReferencePool(const ConvShape& shape, const std::vector<double>& y, std::vector<int>& where);

/// The gradient of a pooled output at the places of the maxima: (images, conv_height, conv_width, out).
std::vector<float> ReferenceUnpool(const ConvShape& shape, const std::vector<float>& dy, const std::vector<int>& where);

/// dy (images, conv_height, conv_width, out) -> dx (images, height, width, in).
std::vector<double> ReferenceDataGradient(const ConvShape& shape, const std::vector<float>& dy,
                                          const std::vector<float>& weights);

/// x and dy (images, conv_height, conv_width, out) -> dw (out, kernel, kernel, in).
std::vector<double> ReferenceWeightGradient(const ConvShape& shape, const std::vector<float>& x,
                                            const std::vector<float>& dy);

}  // namespace spotter::kernels
