// SPDX-License-Identifier: Apache-2.0
// The rows that the patches of some outputs read. The patch of an output pixel is `kernel` runs of the padded image, a
// row of the kernel each; runs of neighbouring pixels overlap. For *_avx512.cc and *_amx.cc only.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernels/avx512.h"
#include "kernels/conv_shape.h"

namespace spotter::kernels {

constexpr int64_t kBandRows = 8;  // rows of output that are worked on at once: what they need stays in the first cache

SPOTTER_INLINE int64_t Run(const ConvShape& s) { return s.kernel * s.in; }
SPOTTER_INLINE int64_t Bands(const ConvShape& s) { return (s.conv_height() + kBandRows - 1) / kBandRows; }
SPOTTER_INLINE int64_t RowValues(const ConvShape& s) { return (s.width + 2 * s.pad) * s.in; }
/// Values of a band's padded rows, and of what may be read behind them.
SPOTTER_INLINE int64_t PaddedValues(const ConvShape& s) {
  return (kBandRows + s.kernel - 1) * RowValues(s) + s.in + 2 * kChunk;
}

/// Some rows of one image's output.
struct Band {
  int64_t image = 0;
  int64_t row = 0;
  int64_t rows = 0;
};
SPOTTER_INLINE Band BandAt(const ConvShape& s, int64_t index) {
  const int64_t row = index % Bands(s) * kBandRows;
  return {index / Bands(s), row, std::min(kBandRows, s.conv_height() - row)};
}

/// The rows of x that a band's patches cover, with zeros around the image and behind the last row.
SPOTTER_INLINE void PadRows(const ConvShape& s, const Band& band, const bf16* x, bf16* padded) {
  const auto bytes = [](int64_t values) { return static_cast<size_t>(values) * sizeof(bf16); };
  const int64_t rows = band.rows + s.kernel - 1;
  for (int64_t i = 0; i < rows; ++i, padded += RowValues(s)) {
    const int64_t y = band.row + i - s.pad;
    if (y < 0 || y >= s.height) {
      std::memset(padded, 0, bytes(RowValues(s)));
      continue;
    }
    std::memset(padded, 0, bytes(s.pad * s.in));
    std::memcpy(padded + s.pad * s.in, x + (band.image * s.height + y) * s.width * s.in, bytes(s.width * s.in));
    std::memset(padded + (s.pad + s.width) * s.in, 0, bytes(s.pad * s.in));
  }
  std::memset(padded, 0, bytes(s.in + 2 * kChunk));
}

}  // namespace spotter::kernels
