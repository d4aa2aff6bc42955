// SPDX-License-Identifier: Apache-2.0
// How the pool kernels go over windows and pixels, without a division where pixels are many. For *_avx512.cc only.
#pragma once

#include "kernels/avx512.h"
#include "kernels/pool.h"
#include "kernels/prefetch.h"

namespace spotter::kernels {

/// How far each pixel of a window lies from its first, in values.
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

/// Calls visit(window, out) for the windows of row `line` of the output, counted through all images: the window's first
/// value is number `window` of the input, its maximum number `out` of the output. What the next row of windows reads is
/// asked for meanwhile.
template <typename Visit>
SPOTTER_INLINE void EachWindowOfRow(const PoolShape& s, const bf16* x, int64_t line, Visit visit) {
  const int64_t row = line / s.out_height() * s.height + line % s.out_height() * s.size;
  for (int64_t column = 0; column < s.out_width(); ++column) {
    const int64_t window = (row * s.width + column * s.size) * s.channels;
    for (int64_t i = 0; i < s.size * s.channels; i += kChunk) {
      for (int64_t r = 0; r < s.size; ++r) PrefetchLine(x + window + (s.size + r) * s.width * s.channels + i);
    }
    visit(window, (line * s.out_width() + column) * s.channels);
  }
}

}  // namespace spotter::kernels
