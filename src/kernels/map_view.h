// SPDX-License-Identifier: Apache-2.0
// What a convolution reads: a map, or the gradient of one before its pool.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/conv_shape.h"

namespace spotter::kernels {

/// A map that is read: (images, height, width, channels); or the gradient of one before its 2x2 max pool, given by the
/// pooled gradient (images, height, width, channels) and the places of the maxima (conv_shape.h). That one is never
/// written out: a pixel is the pooled gradient where the maximum was there, and else 0.
struct MapView {
  const bf16* values;
  const uint32_t* argmax;  // null: no pool
  int64_t height;
  int64_t width;
  int64_t channels;
  const bf16* zeros = nullptr;  // a pixel of zeros, for what is outside: to be set where it is used
};

/// The input of a shape, and the gradient of its output.
inline MapView InputView(const ConvShape& s, const bf16* x) { return {x, nullptr, s.height, s.width, s.in}; }
inline MapView GradientView(const ConvShape& s, const bf16* dy, const uint32_t* argmax) {
  return {dy, s.pool ? argmax : nullptr, s.out_height(), s.out_width(), s.out};
}

}  // namespace spotter::kernels
