// SPDX-License-Identifier: Apache-2.0
// Copies of a map's rows with zeros around, as direct_layout.h describes them. For *_amx.cc only.
#pragma once

#include <cstring>

#include "kernels/avx512.h"
#include "kernels/direct_layout.h"
#include "kernels/map_view.h"

namespace spotter::kernels {

/// Channels [channel, channel + count) of pixels that are copied; `channel` is a multiple of 32.
struct ChannelRange {
  int64_t channel;
  int64_t count;
  int64_t stride() const { return PixelStride(count); }
};

static inline void Zero(bf16* to, int64_t values) {
  if (values > 0) std::memset(to, 0, static_cast<size_t>(values) * sizeof(bf16));
}

static inline void CopyPixels(const bf16* from, int64_t pixels, int64_t channels, const ChannelRange& range, bf16* to) {
  from += range.channel;
  for (int64_t x = 0; x < pixels; ++x, from += channels, to += range.stride()) {
    for (int64_t c = 0; c < range.count; c += kChunk)
      _mm512_storeu_si512(to + c, _mm512_maskz_loadu_epi16(First32(range.count - c), from + c));
  }
}

/// One row of a gradient before its pool.
static inline void CopyUnpooled(const MapView& map, int64_t image, int64_t row, const ChannelRange& range, bf16* to) {
  const int64_t first = (image * map.height + row / 2) * map.width;
  for (int64_t pixel = first; pixel < first + map.width; ++pixel, to += 2 * range.stride()) {
    const uint32_t* words = map.argmax + pixel * ArgmaxWordsOfPixel(map.channels) + range.channel / kChunk * 2;
    const bf16* from = map.values + pixel * map.channels + range.channel;
    for (int64_t c = 0; c < range.count; c += kChunk) {
      const uint32_t right = words[c / 16];
      const uint32_t lower = words[c / 16 + 1];
      const __mmask32 here = First32(range.count - c) & (row % 2 == 1 ? lower : ~lower);
      _mm512_storeu_si512(to + c, _mm512_maskz_loadu_epi16(here & ~right, from + c));
      _mm512_storeu_si512(to + range.stride() + c, _mm512_maskz_loadu_epi16(here & right, from + c));
    }
  }
}

/// Rows [first, first + rows) of an image, `pitch` pixels each: `pad` zeros, the map's, zeros. Rows outside are zeros.
static inline void CopyRows(const MapView& map, int64_t image, int64_t first, int64_t rows, int64_t pad, int64_t pitch,
                            const ChannelRange& range, bf16* to) {
  const int64_t window = map.argmax != nullptr ? 2 : 1;
  const int64_t width = window * map.width;
  const int64_t pixel = range.stride();
  for (int64_t y = first; y < first + rows; ++y, to += pitch * pixel) {
    if (y < 0 || y >= window * map.height) {
      Zero(to, pitch * pixel);
      continue;
    }
    Zero(to, pad * pixel);
    if (window == 2) {
      CopyUnpooled(map, image, y, range, to + pad * pixel);
    } else {
      CopyPixels(map.values + (image * map.height + y) * width * map.channels, width, map.channels, range,
                 to + pad * pixel);
    }
    Zero(to + (pad + width) * pixel, (pitch - pad - width) * pixel);
  }
}

}  // namespace spotter::kernels
