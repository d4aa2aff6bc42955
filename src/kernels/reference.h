// SPDX-License-Identifier: Apache-2.0
// The plain algorithms that the fast products are tested against, convolutions and dense layers: loops in double over
// fp32 values, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/conv_shape.h"
#include "kernels/dense.h"

namespace spotter::kernels {

/// x (images, height, width, in), weights (out, kernel, kernel, in), bias (out) or empty -> the outputs before any
/// pool, (images, conv_height, conv_width, out). A convolution as networks have it: no rotation.
std::vector<double> ReferenceConv(const ConvShape& shape, const std::vector<float>& x,
                                  const std::vector<float>& weights, const std::vector<float>& bias);

/// dy (images, conv_height, conv_width, out) -> dx (images, height, width, in).
std::vector<double> ReferenceDataGradient(const ConvShape& shape, const std::vector<float>& dy,
                                          const std::vector<float>& weights);

/// x and dy (images, conv_height, conv_width, out) -> dw (out, kernel, kernel, in).
std::vector<double> ReferenceWeightGradient(const ConvShape& shape, const std::vector<float>& x,
                                            const std::vector<float>& dy);

/// x (images, in), weights (out, in), bias (out) or empty -> x * weights^T + bias, (images, out).
std::vector<double> ReferenceDense(const DenseShape& shape, const std::vector<float>& x,
                                   const std::vector<float>& weights, const std::vector<float>& bias);

/// dy (images, out) -> dx (images, in) = dy * weights.
std::vector<double> ReferenceDenseDataGradient(const DenseShape& shape, const std::vector<float>& dy,
                                               const std::vector<float>& weights);

/// dw (out, in) = dy^T * x.
std::vector<double> ReferenceDenseWeightGradient(const DenseShape& shape, const std::vector<float>& x,
                                                 const std::vector<float>& dy);

}  // namespace spotter::kernels
