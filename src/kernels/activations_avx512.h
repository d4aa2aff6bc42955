// SPDX-License-Identifier: Apache-2.0
// Activations and their derivatives on registers. For *_avx512.cc and *_amx.cc only.
#pragma once

#include "kernels/act.h"
#include "kernels/avx512.h"

namespace spotter::kernels {

/// e^x, relative error below 3e-7 (degree 6 on [-ln2/2, ln2/2]); 0 below -104, e^88 above 88.
SPOTTER_INLINE __m512 Exp(__m512 x) {
  x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-104.0f)), _mm512_set1_ps(88.0f));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  __m512 p = _mm512_set1_ps(1.0f / 720);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, n);
}

/// 1 / x by the processor's estimate and one step of Newton's: relative error below 1e-7 or so.
SPOTTER_INLINE __m512 Reciprocal(__m512 x) {
  const __m512 y = _mm512_rcp14_ps(x);
  return _mm512_mul_ps(y, _mm512_fnmadd_ps(x, y, _mm512_set1_ps(2.0f)));
}

/// x * P(2 x^2 / 25 - 1), x cut off at -5 and 5: the odd functions of GELU, by weighted minimax fits of P
/// (coefficients, the highest first).
template <int kCount>
SPOTTER_INLINE __m512 OddFit(__m512 x, const float (&coefficients)[kCount]) {
  x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-5.0f)), _mm512_set1_ps(5.0f));
  const __m512 u = _mm512_fmsub_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(0.08f), _mm512_set1_ps(1.0f));
  __m512 p = _mm512_set1_ps(coefficients[0]);
#pragma GCC unroll 16
  for (int i = 1; i < kCount; ++i) p = _mm512_fmadd_ps(p, u, _mm512_set1_ps(coefficients[i]));
  return _mm512_mul_ps(p, x);
}

/// Phi(z) - 1/2 of the normal distribution, z * error below 1e-5.
constexpr float kNormalCdf[] = {2.277311456e-03f, -6.278016809e-03f, 7.021217856e-03f, -8.329822520e-03f,
                                1.554792779e-02f, -2.421516346e-02f, 3.174414587e-02f, -4.031916929e-02f,
                                5.148801121e-02f, -7.030051867e-02f, 1.413643019e-01f};
/// d/dz z Phi(z) - 1/2, error below 1.5e-5.
constexpr float kGeluSlope[] = {-2.072040865e-02f, 4.651470393e-02f, -2.772109466e-02f, 2.122804340e-02f,
                                -6.844843779e-02f, 9.512000205e-02f, -8.535528932e-02f, 7.708937564e-02f,
                                -7.154195850e-02f, 6.682617860e-02f, -7.512277915e-02f, 1.421305808e-01f};

template <Act kAct>
SPOTTER_INLINE __m512 Apply(__m512 z) {
  if constexpr (kAct == Act::kRelu) return _mm512_max_ps(_mm512_setzero_ps(), z);  // NaN stays
  if constexpr (kAct == Act::kGelu)  // 0 where the fit ends: z times its last value would grow
    return _mm512_maskz_mul_ps(_mm512_cmp_ps_mask(z, _mm512_set1_ps(-5.0f), _CMP_NLE_UQ), z,
                               _mm512_add_ps(OddFit(z, kNormalCdf), _mm512_set1_ps(0.5f)));
  if constexpr (kAct == Act::kSilu)
    return _mm512_mul_ps(z,
                         Reciprocal(_mm512_add_ps(_mm512_set1_ps(1.0f), Exp(_mm512_sub_ps(_mm512_setzero_ps(), z)))));
  return z;
}

/// g * act'(z).
template <Act kAct>
SPOTTER_INLINE __m512 Derive(__m512 z, __m512 g) {
  if constexpr (kAct == Act::kRelu)
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_GT_OQ), g);
  if constexpr (kAct == Act::kGelu) return _mm512_mul_ps(g, _mm512_add_ps(OddFit(z, kGeluSlope), _mm512_set1_ps(0.5f)));
  if constexpr (kAct == Act::kSilu) {
    const __m512 one = _mm512_set1_ps(1.0f);
    const __m512 s = Reciprocal(_mm512_add_ps(one, Exp(_mm512_sub_ps(_mm512_setzero_ps(), z))));
    return _mm512_mul_ps(g, _mm512_mul_ps(s, _mm512_fmadd_ps(z, _mm512_sub_ps(one, s), one)));
  }
  return g;
}

/// Calls run<act>().
template <typename Run>
SPOTTER_INLINE auto WithAct(Act act, Run run) {
  switch (act) {
    case Act::kRelu:
      return run.template operator()<Act::kRelu>();
    case Act::kGelu:
      return run.template operator()<Act::kGelu>();
    case Act::kSilu:
      return run.template operator()<Act::kSilu>();
    case Act::kNone:
      break;
  }
  return run.template operator()<Act::kNone>();
}

}  // namespace spotter::kernels
