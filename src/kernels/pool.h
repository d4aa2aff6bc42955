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

/// How far each pixel of a window lies from its first, in values: no division where pixels are many.
class WindowOffsets {
 public:
  explicit WindowOffsets(const PoolShape& s) : count_(s.size * s.size) {
    for (int64_t i = 0; i < count_; ++i) offsets_[i] = (i / s.size * s.width + i % s.size) * s.channels;
  }
  int64_t count() const { return count_; }
  int64_t operator[](int64_t place) const { return offsets_[place]; }

 private:
  static constexpr int64_t kMost = 15 * 15;
  int64_t count_;
  int64_t offsets_[kMost];
};

/// Calls visit(pixel, window, place) for the pixels of row `line` of a map, counted through all images, from left to
/// right: pixel and window are numbered through all images too; window is -1 for what belongs to none.
template <typename Visit>
inline __attribute__((always_inline)) void EachPixelOfRow(const PoolShape& s, int64_t line, Visit visit) {
  const int64_t row = line % s.height;
  const int64_t window_row = row / s.size;
  const int64_t first_place = (row - window_row * s.size) * s.size;
  int64_t pixel = line * s.width;
  const int64_t end = pixel + s.width;
  if (window_row < s.out_height()) {
    int64_t window = (line / s.height * s.out_height() + window_row) * s.out_width();
    for (const int64_t last = window + s.out_width(); window < last; ++window) {
      for (int64_t i = 0; i < s.size; ++i) visit(pixel++, window, first_place + i);
    }
  }
  while (pixel < end) visit(pixel++, int64_t{-1}, int64_t{0});
}

/// y (images, out_height, out_width, channels): each window's maximum. place, as large as y, or null: where it was, in
/// reading order; of equal values the first.
void MaxPool(const PoolShape& shape, const bf16* x, bf16* y, uint8_t* place, int threads);

/// dx (images, height, width, channels): dy at the maxima, 0 elsewhere.
void MaxPoolGradient(const PoolShape& shape, const bf16* dy, const uint8_t* place, bf16* dx, int threads);

/// y = x / (1 - rate) or, with probability `rate`, 0. What is dropped is a function of `seed` and the value's place
/// alone: the gradient is the same call on dy. y may be x. rate: in (0, 1).
void Dropout(int64_t values, const bf16* x, double rate, uint64_t seed, bf16* y, int threads);

}  // namespace spotter::kernels
