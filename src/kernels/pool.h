// SPDX-License-Identifier: Apache-2.0
// Max pooling with windows that don't overlap, and dropout; for processors that CpuHasAvx512Bf16() says yes to.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/scratch.h"

namespace spotter::kernels {

/// Windows of size x size with stride size over (images, height, width, channels); what is left at the lower and right
/// border belongs to none. size: 2 to 15.
struct PoolShape {
  int64_t images = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  int64_t size = 2;
  int64_t out_height() const { return height / size; }
  int64_t out_width() const { return width / size; }
  int64_t out_values() const { return images * out_height() * out_width() * channels; }
};

/// y (images, out_height, out_width, channels): each window's maximum. place, as large as y, or null: where it was, in
/// reading order; of equal values the first.
void MaxPool(const PoolShape& shape, const bf16* x, bf16* y, uint8_t* place, int threads);

/// dx (images, height, width, channels): dy at the maxima, 0 elsewhere.
void MaxPoolGradient(const PoolShape& shape, const bf16* dy, const uint8_t* place, bf16* dx, int threads);

/// y = x / (1 - rate) or, with probability `rate`, 0. What is dropped is a function of `seed` and the value's place
/// alone: the gradient is the same call on dy. y may be x. rate: in (0, 1).
void Dropout(int64_t values, const bf16* x, double rate, uint64_t seed, bf16* y, int threads);

}  // namespace spotter::kernels
