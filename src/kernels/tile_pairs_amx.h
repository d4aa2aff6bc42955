// SPDX-License-Identifier: Apache-2.0
// Rows of values made into tiles: as pairs of rows (a B), or turned over (an A). For *_amx.cc only.
#pragma once

#include "kernels/amx.h"

namespace spotter::kernels {

/// 16 columns of 16 pairs of rows, `stride` apart: the pair of column c in lane c. Columns and rows beyond those that
/// there are, `rows`, of which 32 count, are 0.
SPOTTER_INLINE void LoadPairs(const bf16* from, int64_t stride, int64_t rows, __mmask16 columns, __m512* pairs) {
#pragma GCC unroll 16
  for (int64_t i = 0; i < kTileRows; ++i, from += 2 * stride) {
    const __m256i a = _mm256_maskz_loadu_epi16(2 * i < rows ? columns : 0, from);
    const __m256i b = _mm256_maskz_loadu_epi16(2 * i + 1 < rows ? columns : 0, from + stride);
    pairs[i] = _mm512_castsi512_ps(PairUp(a, b));
  }
}
/// The same where all are there.
SPOTTER_INLINE void LoadPairs(const bf16* from, int64_t stride, __m512* pairs) {
  LoadPairs(from, stride, kTileSums, 0xffff, pairs);
}

/// Pairs as a B: [pair][column][2].
SPOTTER_INLINE void StorePairs(const __m512* pairs, bf16* to) {
#pragma GCC unroll 16
  for (int64_t i = 0; i < kTileRows; ++i) _mm512_storeu_ps(to + i * kTileSums, pairs[i]);
}
/// Pairs turned over, an A whose rows, once columns, are `stride` apart.
SPOTTER_INLINE void StoreTurned(__m512* pairs, int64_t stride, bf16* to) {
  Transpose(pairs);
#pragma GCC unroll 16
  for (int64_t i = 0; i < kTileRows; ++i) _mm512_storeu_ps(to + i * stride, pairs[i]);
}

}  // namespace spotter::kernels
