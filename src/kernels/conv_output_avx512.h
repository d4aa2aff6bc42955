// SPDX-License-Identifier: Apache-2.0
// What is done to a convolution's sums on their way to memory. For *_avx512.cc and *_amx.cc only.
#pragma once

#include <cstring>
#include <limits>

#include "kernels/avx512.h"
#include "kernels/conv.h"

namespace spotter::kernels {

/// Where the outputs go, and what is done to them on the way.
struct ConvOutput {
  bf16* y;
  uint32_t* argmax;
  int64_t channels;
  ConvEpilogue epilogue = {};

  /// Of the 16 channels from `channel` on.
  SPOTTER_INLINE_MEMBER __m512 Bias(int64_t channel, __mmask16 mask) const {
    return epilogue.bias != nullptr ? _mm512_maskz_loadu_ps(mask, epilogue.bias + channel) : _mm512_setzero_ps();
  }
  /// Writes 16 sums, those of `mask`, as the outputs at `to`.
  SPOTTER_INLINE_MEMBER void Write(bf16* to, __mmask16 mask, __m512 sums, __m512 bias) const {
    const __m512 value = _mm512_add_ps(sums, bias);  // of NaN and 0 the second: NaN
    StoreNarrow(to, mask, epilogue.relu ? _mm512_max_ps(_mm512_setzero_ps(), value) : value);
  }
  /// Writes where the maxima of 16 channels of a pooled pixel were, as Largest found them; nothing without argmax.
  SPOTTER_INLINE_MEMBER void WritePlaces(int64_t pixel, int64_t channel, uint16_t column, uint16_t row) const {
    if (argmax == nullptr) return;
    const int64_t word = pixel * ArgmaxWordsOfPixel(channels) + channel / 32 * 2;
    auto* half = reinterpret_cast<char*>(argmax + word) + channel / kLanes % 2 * sizeof(column);
    std::memcpy(half, &column, sizeof(column));
    std::memcpy(half + sizeof(*argmax), &row, sizeof(row));
  }
};

/// The largest of a window, two values of each row; NaN where one is. Bit c of `column` and `row` says where channel
/// c's is.
SPOTTER_INLINE __m512 Largest(const __m512* above, const __m512* below, uint16_t* column, uint16_t* row) {
  const __mmask16 upper = _mm512_cmp_ps_mask(above[1], above[0], _CMP_GT_OQ);
  const __mmask16 lower = _mm512_cmp_ps_mask(below[1], below[0], _CMP_GT_OQ);
  const __m512 a = _mm512_max_ps(above[1], above[0]);
  const __m512 b = _mm512_max_ps(below[1], below[0]);
  const __mmask16 second = _mm512_cmp_ps_mask(b, a, _CMP_GT_OQ);
  *row = second;
  *column = static_cast<uint16_t>((upper & ~second) | (lower & second));
  const __mmask16 nan =
      _mm512_cmp_ps_mask(above[0], above[1], _CMP_UNORD_Q) | _mm512_cmp_ps_mask(below[0], below[1], _CMP_UNORD_Q);
  return _mm512_mask_mov_ps(_mm512_max_ps(b, a), nan, _mm512_set1_ps(std::numeric_limits<float>::quiet_NaN()));
}

}  // namespace spotter::kernels
