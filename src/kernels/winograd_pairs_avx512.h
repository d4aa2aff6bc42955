// SPDX-License-Identifier: Apache-2.0
// The weight gradient's transforms: 32 channels of a pair of tiles, all frequencies or one row of four, the two tiles'
// values interleaved. For *_avx512.cc only.
#pragma once

#include "kernels/winograd_transforms.h"

namespace spotter::kernels {

template <int kRow>
SPOTTER_INLINE void InputRows(const __m512* d, __m512* v) {
  __m512 e[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) e[j] = InputRow<kRow>(d[j], d[4 + j], d[8 + j], d[12 + j]);
  v[0] = InputRow<0>(e[0], e[1], e[2], e[3]);
  v[1] = InputRow<1>(e[0], e[1], e[2], e[3]);
  v[2] = InputRow<2>(e[0], e[1], e[2], e[3]);
  v[3] = InputRow<3>(e[0], e[1], e[2], e[3]);
}
template <int kRow>
SPOTTER_INLINE void GradientRows(const __m512* y, __m512* d) {
  const __m512 a = GradientRow<kRow>(y[0], y[2]);
  const __m512 b = GradientRow<kRow>(y[1], y[3]);
  d[0] = GradientRow<0>(a, b);
  d[1] = GradientRow<1>(a, b);
  d[2] = GradientRow<2>(a, b);
  d[3] = GradientRow<3>(a, b);
}
/// Rows kFirst to kFirst + kRows - 1 of the transforms; kRows is 1 or 4.
template <int kFirst, int kRows>
SPOTTER_INLINE void SomeInputRows(const __m512* d, __m512* v) {
  InputRows<kFirst>(d, v);
  if constexpr (kRows == 4) {
    InputRows<1>(d, v + 4);
    InputRows<2>(d, v + 8);
    InputRows<3>(d, v + 12);
  }
}
template <int kFirst, int kRows>
SPOTTER_INLINE void SomeGradientRows(const __m512* y, __m512* d) {
  GradientRows<kFirst>(y, d);
  if constexpr (kRows == 4) {
    GradientRows<1>(y, d + 4);
    GradientRows<2>(y, d + 8);
    GradientRows<3>(y, d + 12);
  }
}
/// Of 32 channels, or of the last few (`kPart`), those at odd or even places.
template <bool kOdd, bool kPart>
SPOTTER_INLINE __m512 Half(const bf16* p, __mmask32 mask) {
  const __m512i v = kPart ? _mm512_maskz_loadu_epi16(mask, p) : _mm512_loadu_si512(p);
  return kOdd ? Odd(v) : Even(v);
}

/// Even (odd) channels of 32 of a pair of tiles, transformed and interleaved.
template <int kFirst, int kRows, bool kOdd, bool kPart>
SPOTTER_INLINE void InputPair(const bf16* const (*pixels)[16], int64_t channel, __mmask32 mask, __m512i order, bf16* v,
                              int64_t stride) {
  __m512 a[4 * kRows];
  __m512 b[4 * kRows];
  __m512 d[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) d[i] = Half<kOdd, kPart>(pixels[0][i] + channel, mask);
  SomeInputRows<kFirst, kRows>(d, a);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) d[i] = Half<kOdd, kPart>(pixels[1][i] + channel, mask);
  SomeInputRows<kFirst, kRows>(d, b);
#pragma GCC unroll 16
  for (int f = 0; f < 4 * kRows; ++f)
    _mm512_storeu_si512(v + f * stride, _mm512_permutexvar_epi16(order, Pack(a[f], b[f])));
}
template <int kFirst, int kRows, bool kOdd, bool kPart>
SPOTTER_INLINE void GradientPair(const bf16* const (*pixels)[4], int64_t channel, __mmask32 mask, __m512i order,
                                 bf16* d, int64_t stride) {
  __m512 a[4 * kRows];
  __m512 b[4 * kRows];
  __m512 y[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) y[i] = Half<kOdd, kPart>(pixels[0][i] + channel, mask);
  SomeGradientRows<kFirst, kRows>(y, a);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) y[i] = Half<kOdd, kPart>(pixels[1][i] + channel, mask);
  SomeGradientRows<kFirst, kRows>(y, b);
#pragma GCC unroll 16
  for (int f = 0; f < 4 * kRows; ++f)
    _mm512_storeu_si512(d + f * stride, _mm512_permutexvar_epi16(order, Pack(a[f], b[f])));
}

}  // namespace spotter::kernels
