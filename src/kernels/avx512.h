// SPDX-License-Identifier: Apache-2.0
// What the AVX-512 kernels share: conversions, and the register-blocked bf16 product. For *_avx512.cc and *_amx.cc
// only, which are compiled for such processors. No code of theirs may be taken by other files, which run everywhere:
// what is here is static, and tests/structure looks for what isn't.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/inline.h"

namespace spotter::kernels {

constexpr int64_t kLanes = 16;  // fp32 values of a vector
constexpr int64_t kChunk = 32;  // bf16 values of a vector

SPOTTER_INLINE __m512 MultiplyAdd(__m512 sum, __m512i a, __m512i b) {
  return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}
/// Sixteen values of each as bf16: `low` first.
SPOTTER_INLINE __m512i Pack(__m512 low, __m512 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }
/// The values at even places of 32 bf16, and those at odd places.
SPOTTER_INLINE __m512 Even(__m512i v) { return _mm512_castsi512_ps(_mm512_slli_epi32(v, 16)); }
SPOTTER_INLINE __m512 Odd(__m512i v) {
  return _mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
}
/// 16 bf16 as fp32, in order.
SPOTTER_INLINE __m512 Widen(__m256i v) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(v), 16)); }
SPOTTER_INLINE __m256i Narrow(__m512 v) { return (__m256i)_mm512_cvtneps_pbh(v); }

/// 16 bf16 in memory as fp32, 0 where the mask is not set, and back.
SPOTTER_INLINE __m512 LoadWide(const bf16* p, __mmask16 mask) { return Widen(_mm256_maskz_loadu_epi16(mask, p)); }
SPOTTER_INLINE void StoreNarrow(bf16* p, __mmask16 mask, __m512 v) { _mm256_mask_storeu_epi16(p, mask, Narrow(v)); }

/// Where `value` is larger than the largest so far, or is NaN, which then stays.
SPOTTER_INLINE __mmask16 Exceeds(__m512 value, __m512 largest) {
  return _mm512_cmp_ps_mask(value, largest, _CMP_GT_OQ) | _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
}

/// The first `count` (at most all) lanes of a vector.
SPOTTER_INLINE __mmask32 First32(int64_t count) { return count >= 32 ? ~0u : count <= 0 ? 0u : (1u << count) - 1; }
SPOTTER_INLINE __mmask16 First16(int64_t count) { return static_cast<__mmask16>(First32(count < 16 ? count : 16)); }

/// 16 columns of two rows as pairs: row `a` in the low halves.
SPOTTER_INLINE __m512i PairUp(__m256i a, __m256i b) {
  return _mm512_or_si512(_mm512_cvtepu16_epi32(a), _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16));
}

/// 0, step, 2 * step, ...
SPOTTER_INLINE __m512i Multiples(int step) {
  return _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                            _mm512_set1_epi32(step));
}

/// Of 32 values that lie even places first, odd places after: the permutation that puts them in order.
SPOTTER_INLINE __m512i Interleaved() {
  short index[32];
  for (int i = 0; i < 32; ++i) index[i] = static_cast<short>((i >> 1) + (i & 1) * 16);
  return _mm512_loadu_si512(index);
}

/// 16 x 16 values of 32 bits, rows to columns.
SPOTTER_INLINE void Transpose(__m512* r) {
  __m512d t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
    t[i + 1] = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {  // now r[i + k] has column 4 l + k of four rows in its part l
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(t[i], t[i + 2]));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(t[i], t[i + 2]));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(t[i + 1], t[i + 3]));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(t[i + 1], t[i + 3]));
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    const __m512 even_low = _mm512_shuffle_f32x4(r[k], r[4 + k], 0x88);
    const __m512 odd_low = _mm512_shuffle_f32x4(r[k], r[4 + k], 0xdd);
    const __m512 even_high = _mm512_shuffle_f32x4(r[8 + k], r[12 + k], 0x88);
    const __m512 odd_high = _mm512_shuffle_f32x4(r[8 + k], r[12 + k], 0xdd);
    r[k] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
    r[4 + k] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
    r[8 + k] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
    r[12 + k] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
  }
}

/// Two neighbouring values in each lane.
SPOTTER_INLINE __m512i BroadcastPair(const bf16* p) {
  int pair;
  __builtin_memcpy(&pair, p, sizeof(pair));  // at any address
  return _mm512_set1_epi32(pair);
}

/// C[kRows][16 * kVectors] (+)= A[kRows][2 * pairs] x B[2 * pairs][16 * kVectors], fp32 sums of bf16 products. Pair k
/// of row r is at a + r * row_stride + k * pair_stride; the pairs of B's columns lie at b + k * b_stride.
template <int kRows, int kVectors, bool kAccumulate>
SPOTTER_INLINE void Product(const bf16* a, int64_t row_stride, int64_t pair_stride, const bf16* b, int64_t b_stride,
                            int64_t pairs, float* c, int64_t c_stride) {
  __m512 sum[kRows][kVectors];
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = kAccumulate ? _mm512_loadu_ps(c + r * c_stride + kLanes * v) : _mm512_setzero_ps();
  }
  for (int64_t k = 0; k < pairs; ++k) {
    __m512i column[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) column[v] = _mm512_loadu_si512(b + kChunk * v);
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
      const __m512i row = BroadcastPair(a + r * row_stride);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = MultiplyAdd(sum[r][v], row, column[v]);
    }
    a += pair_stride;
    b += b_stride;
  }
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) _mm512_storeu_ps(c + r * c_stride + kLanes * v, sum[r][v]);
  }
}

/// The rows of a register block: 24 accumulators, 4 vectors of B and one of A fit the 32 registers.
template <int kVectors>
constexpr int kBlockRows = 24 / kVectors;

}  // namespace spotter::kernels
