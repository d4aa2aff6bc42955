// SPDX-License-Identifier: Apache-2.0
// The sizes of one convolution, and of the max pool that may follow it in the same kernel.
#pragma once

#include <cstdint>

namespace spotter::kernels {

/// A convolution with stride 1 over maps of (images, height, width, in), C order; weights are (out, kernel, kernel, in)
/// fp32, which is PyTorch's (out, in, kernel, kernel) in channels-last memory. With `pool`, a 2x2 max pool of stride 2
/// follows that leaves out an odd last row or column; what it leaves out is never computed. An output has at least one
/// pixel.
struct ConvShape {
  int64_t images = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t in = 0;
  int64_t out = 0;
  int64_t kernel = 3;
  int64_t pad = 0;  // zeros on each side; for a kernel of 3: 0 is "valid", 1 is "same"
  bool pool = false;

  int64_t conv_height() const { return height + 2 * pad - kernel + 1; }
  int64_t conv_width() const { return width + 2 * pad - kernel + 1; }
  int64_t out_height() const { return pool ? conv_height() / 2 : conv_height(); }
  int64_t out_width() const { return pool ? conv_width() / 2 : conv_width(); }
  int64_t in_size() const { return images * height * width * in; }
  int64_t out_pixels() const { return images * out_height() * out_width(); }
  int64_t out_size() const { return out_pixels() * out; }
  int64_t weight_size() const { return out * kernel * kernel * in; }
  /// Multiply-adds of the plain algorithm, of the outputs that are needed: what rates are counted by.
  int64_t products() const { return images * (pool ? 4 : 1) * out_height() * out_width() * out * in * kernel * kernel; }
};

/// Where in its window each pooled maximum was: for each pooled pixel and each 32 channels two words, whose bit c says
/// of channel c whether the maximum was in the right column (first word) and in the lower row (second word). Of equal
/// values the first in reading order counts. Bits of channels beyond the last mean nothing.
constexpr int64_t ArgmaxWordsOfPixel(int64_t channels) { return (channels + 31) / 32 * 2; }
inline int64_t ArgmaxWords(const ConvShape& shape) { return shape.out_pixels() * ArgmaxWordsOfPixel(shape.out); }

}  // namespace spotter::kernels
