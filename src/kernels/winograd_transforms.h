// SPDX-License-Identifier: Apache-2.0
// The transforms of F(2x2, 3x3) on registers (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks",
// 2016), 16 channels a vector. For *_avx512.cc only.
//
//   Y = A^T [(G g G^T) * (B^T d B)] A
//
// d: 4x4 of the input, g: 3x3 weights, Y: 2x2 of the output; * is elementwise, then summed over the channels. Rows:
//
//   B^T   1 0 -1 0 | 0 1 1 0 | 0 -1 1 0 | 0 1 0 -1
//   A^T   1 1 1 0 | 0 1 -1 -1
//   G     1 0 0 | .5 .5 .5 | .5 -.5 .5 | 0 0 1
//
// "Frequency" f = 4 * i + j is place (i, j) of the 4x4 in the middle.
#pragma once

#include "kernels/avx512.h"

namespace spotter::kernels {

/// Row kRow of B^T times a column.
template <int kRow>
SPOTTER_INLINE __m512 InputRow(__m512 a, __m512 b, __m512 c, __m512 d) {
  if constexpr (kRow == 0) return _mm512_sub_ps(a, c);
  if constexpr (kRow == 1) return _mm512_add_ps(b, c);
  if constexpr (kRow == 2) return _mm512_sub_ps(c, b);
  return _mm512_sub_ps(b, d);
}
/// Row kRow of A times a column: what an output's gradient becomes.
template <int kRow>
SPOTTER_INLINE __m512 GradientRow(__m512 a, __m512 b) {
  if constexpr (kRow == 0) return a;
  if constexpr (kRow == 1) return _mm512_add_ps(a, b);
  if constexpr (kRow == 2) return _mm512_sub_ps(a, b);
  return _mm512_sub_ps(_mm512_setzero_ps(), b);
}

SPOTTER_INLINE void TransformColumn(__m512& a, __m512& b, __m512& c, __m512& d) {  // B^T
  const __m512 x = InputRow<0>(a, b, c, d);
  const __m512 y = InputRow<1>(a, b, c, d);
  const __m512 z = InputRow<2>(a, b, c, d);
  d = InputRow<3>(a, b, c, d);
  a = x;
  b = y;
  c = z;
}
SPOTTER_INLINE void TransposedColumn(__m512& a, __m512& b, __m512& c, __m512& d) {  // B, the transpose of the above
  const __m512 s = _mm512_sub_ps(b, c);
  const __m512 z = _mm512_sub_ps(_mm512_add_ps(b, c), a);
  d = _mm512_sub_ps(_mm512_setzero_ps(), d);
  b = _mm512_sub_ps(s, d);
  c = z;
}

/// B^T d B of a tile's 16 pixels.
SPOTTER_INLINE void TransformInput(__m512* d) {
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) TransformColumn(d[j], d[4 + j], d[8 + j], d[12 + j]);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) TransformColumn(d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3]);
}
/// B d B^T: the adjoint of the above, from frequencies to 4x4 pixels.
SPOTTER_INLINE void TransposedInput(__m512* d) {
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) TransposedColumn(d[j], d[4 + j], d[8 + j], d[12 + j]);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) TransposedColumn(d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3]);
}

/// A^T m A: y[0..3] are the 2x2 outputs of a tile; m's frequencies lie `stride` floats apart.
SPOTTER_INLINE void TransformOutput(const float* m, int64_t stride, __m512* y) {
  __m512 t[8];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512 a = _mm512_loadu_ps(m + j * stride);
    const __m512 b = _mm512_loadu_ps(m + (4 + j) * stride);
    const __m512 c = _mm512_loadu_ps(m + (8 + j) * stride);
    const __m512 d = _mm512_loadu_ps(m + (12 + j) * stride);
    t[j] = _mm512_add_ps(a, _mm512_add_ps(b, c));
    t[4 + j] = _mm512_sub_ps(_mm512_sub_ps(b, c), d);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    y[2 * i] = _mm512_add_ps(t[4 * i], _mm512_add_ps(t[4 * i + 1], t[4 * i + 2]));
    y[2 * i + 1] = _mm512_sub_ps(_mm512_sub_ps(t[4 * i + 1], t[4 * i + 2]), t[4 * i + 3]);
  }
}

/// G g G^T of 3x3 weights.
SPOTTER_INLINE void TransformWeights(const __m512* g, __m512* u) {
  const __m512 half = _mm512_set1_ps(0.5f);
  __m512 t[12];
#pragma GCC unroll 3
  for (int b = 0; b < 3; ++b) {
    const __m512 s = _mm512_mul_ps(half, _mm512_add_ps(g[b], g[6 + b]));
    const __m512 d = _mm512_mul_ps(half, g[3 + b]);
    t[b] = g[b];
    t[3 + b] = _mm512_add_ps(s, d);
    t[6 + b] = _mm512_sub_ps(s, d);
    t[9 + b] = g[6 + b];
  }
#pragma GCC unroll 4
  for (int a = 0; a < 4; ++a) {
    const __m512 s = _mm512_mul_ps(half, _mm512_add_ps(t[3 * a], t[3 * a + 2]));
    const __m512 d = _mm512_mul_ps(half, t[3 * a + 1]);
    u[4 * a] = t[3 * a];
    u[4 * a + 1] = _mm512_add_ps(s, d);
    u[4 * a + 2] = _mm512_sub_ps(s, d);
    u[4 * a + 3] = t[3 * a + 2];
  }
}
/// G^T u G: the weights' gradient from its frequencies.
SPOTTER_INLINE void TransposedWeights(const __m512* u, __m512* g) {
  const __m512 half = _mm512_set1_ps(0.5f);
  __m512 s[12];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512 h = _mm512_mul_ps(half, _mm512_add_ps(u[4 + j], u[8 + j]));
    s[j] = _mm512_add_ps(u[j], h);
    s[4 + j] = _mm512_mul_ps(half, _mm512_sub_ps(u[4 + j], u[8 + j]));
    s[8 + j] = _mm512_add_ps(h, u[12 + j]);
  }
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    const __m512 h = _mm512_mul_ps(half, _mm512_add_ps(s[4 * i + 1], s[4 * i + 2]));
    g[3 * i] = _mm512_add_ps(s[4 * i], h);
    g[3 * i + 1] = _mm512_mul_ps(half, _mm512_sub_ps(s[4 * i + 1], s[4 * i + 2]));
    g[3 * i + 2] = _mm512_add_ps(h, s[4 * i + 3]);
  }
}

/// A dY A^T of a pooled tile, whose dY is g at the maximum's place and 0 elsewhere, for 32 channels: g, -g or 0, exact.
/// `column`, `row`: the argmax words.
SPOTTER_INLINE void TransformPooledGradient(__m512i g, uint32_t column, uint32_t row, __m512i* d) {
  const uint32_t some_row[4] = {~row, ~0u, ~0u, row};
  const uint32_t minus_row[4] = {0, 0, row, ~0u};
  const uint32_t some_column[4] = {~column, ~0u, ~0u, column};
  const uint32_t minus_column[4] = {0, 0, column, ~0u};
  const __m512i negative = _mm512_xor_si512(g, _mm512_set1_epi16(static_cast<short>(0x8000)));
#pragma GCC unroll 16
  for (int f = 0; f < 16; ++f) {
    const uint32_t some = some_row[f / 4] & some_column[f % 4];
    const uint32_t minus = minus_row[f / 4] ^ minus_column[f % 4];
    d[f] = _mm512_mask_mov_epi16(_mm512_maskz_mov_epi16(some, g), some & minus, negative);
  }
}

}  // namespace spotter::kernels
