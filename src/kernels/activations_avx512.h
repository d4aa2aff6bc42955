// SPDX-License-Identifier: Apache-2.0
// Activations and their derivatives on registers. For *_avx512.cc only.
#pragma once

#include "kernels/avx512.h"
#include "kernels/norm.h"

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

/// The normal distribution's function Phi(z), and e^(-z^2/2), from which its density follows.
SPOTTER_INLINE __m512 NormalCdf(__m512 z, __m512& exponential) {
  const __m512 x = _mm512_mul_ps(_mm512_abs_ps(z), _mm512_set1_ps(0.70710678f));
  exponential = Exp(_mm512_mul_ps(_mm512_mul_ps(z, z), _mm512_set1_ps(-0.5f)));
  const __m512 t = Reciprocal(_mm512_fmadd_ps(x, _mm512_set1_ps(0.3275911f), _mm512_set1_ps(1.0f)));
  __m512 p = _mm512_set1_ps(1.061405429f);
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.453152027f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(1.421413741f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.284496736f));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.254829592f));
  const __m512 tail = _mm512_mul_ps(_mm512_set1_ps(0.5f), _mm512_mul_ps(_mm512_mul_ps(p, t), exponential));
  const __mmask16 negative = _mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_LT_OQ);
  return _mm512_mask_mov_ps(_mm512_sub_ps(_mm512_set1_ps(1.0f), tail), negative, tail);
}

template <Act kAct>
SPOTTER_INLINE __m512 Apply(__m512 z) {
  if constexpr (kAct == Act::kRelu) return _mm512_max_ps(z, _mm512_setzero_ps());
  if constexpr (kAct == Act::kGelu) {
    __m512 unused;
    return _mm512_mul_ps(z, NormalCdf(z, unused));
  }
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
  if constexpr (kAct == Act::kGelu) {
    __m512 exponential;
    const __m512 cdf = NormalCdf(z, exponential);
    return _mm512_mul_ps(g, _mm512_fmadd_ps(_mm512_mul_ps(z, _mm512_set1_ps(0.39894228f)), exponential, cdf));
  }
  if constexpr (kAct == Act::kSilu) {
    const __m512 one = _mm512_set1_ps(1.0f);
    const __m512 s = Reciprocal(_mm512_add_ps(one, Exp(_mm512_sub_ps(_mm512_setzero_ps(), z))));
    return _mm512_mul_ps(g, _mm512_mul_ps(s, _mm512_fmadd_ps(z, _mm512_sub_ps(one, s), one)));
  }
  return g;
}

}  // namespace spotter::kernels
