// SPDX-License-Identifier: Apache-2.0
// The transforms of F(4x4, 3x3) on registers (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016),
// 16 channels a vector. For *_avx512.cc only.
//
//   Y = A^T [(G g G^T) * (B^T d B)] A
//
// d: 6x6 of the input, g: 3x3 weights, Y: 4x4 of the output; * is elementwise, then summed over the channels. The
// matrices are Toom and Cook's for the points p, -p, q, -q, 0 and infinity with p = 5/8 and q = 3/2:
//
//          0   -p q2   -q2     p   1  0            s  sp  sp2         1   1    1   1   1  0
//          0    p q2   -q2    -p   1  0            s -sp  sp2         p  -p    q  -q   0  0
//   B^T    0   -p2 q   -p2     q   1  0    G       t  tq  tq2   A^T   p2  p2   q2  q2  0  0
//          0    p2 q   -p2    -q   1  0            t -tq  tq2         p3 -p3   q3 -q3  0  1
//         p2q2   0   -p2-q2   0    1  0         1/p2q2  0   0
//          0    p2q2    0   -p2-q2 0  1            0   0    1
//
// with p2 = p * p and so on, s = 1 / (2 p2 (p2 - q2)), t = 1 / (2 q2 (q2 - p2)). The points were chosen for their error
// in bf16: 0.011 relative RMS for these; 0.025 for the usual 1 and 2 (docs/speed.md).
//
// "Frequency" f = 6 * i + j is place (i, j) of the 6x6 in the middle. Rows come in pairs that share most of their sums:
// pair 0 is the rows of p and -p, 1 those of q and -q, 2 those of 0 and infinity.
#pragma once

#include "kernels/avx512.h"

namespace spotter::kernels {

namespace points {
constexpr float kP = 0.625f;
constexpr float kQ = 1.5f;
constexpr float kP2 = kP * kP;
constexpr float kQ2 = kQ * kQ;
constexpr float kS = 1 / (2 * kP2 * (kP2 - kQ2));
constexpr float kT = 1 / (2 * kQ2 * (kQ2 - kP2));
}  // namespace points

SPOTTER_INLINE __m512 Constant(float value) { return _mm512_set1_ps(value); }
SPOTTER_INLINE __m512 Add(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
SPOTTER_INLINE __m512 Subtract(__m512 a, __m512 b) { return _mm512_sub_ps(a, b); }
/// sum + factor * value, and sum - factor * value.
SPOTTER_INLINE __m512 Plus(__m512 sum, float factor, __m512 value) {
  return _mm512_fmadd_ps(Constant(factor), value, sum);
}
SPOTTER_INLINE __m512 Minus(__m512 sum, float factor, __m512 value) {
  return _mm512_fnmadd_ps(Constant(factor), value, sum);
}
/// The rows of a point and of its negative: the even powers' sum with the odd ones' added, and taken away.
SPOTTER_INLINE void BothSigns(__m512 even, float point, __m512 odd, __m512* to, int to_step) {
  to[0] = Plus(even, point, odd);
  to[to_step] = Minus(even, point, odd);
}

/// What is transformed on the way in: a tile's input by B^T, and the gradient of its outputs by A. Pair: two rows of
/// the result; from and to: values so many vectors apart. kSize: values, kPairs: pairs of rows.
struct OfInput {
  static constexpr int kSize = 6;
  static constexpr int kPairs = 3;

  template <int kPair>
  SPOTTER_INLINE_MEMBER static void Pair(const __m512* from, int from_step, __m512* to, int to_step) {
    using namespace points;
    const auto d = [&](int i) { return from[i * from_step]; };
    if constexpr (kPair == 2) {
      to[0] = Plus(Minus(d(4), kP2 + kQ2, d(2)), kP2 * kQ2, d(0));
      to[to_step] = Plus(Minus(d(5), kP2 + kQ2, d(3)), kP2 * kQ2, d(1));
    } else {
      const float square = kPair == 0 ? kQ2 : kP2;
      const __m512 even = Minus(d(4), square, d(2));
      const __m512 odd = Minus(d(3), square, d(1));
      BothSigns(even, kPair == 0 ? kP : kQ, odd, to, to_step);
    }
  }
};
/// Of a tile with at most two rows of outputs: F(2, 3) for the points p, -p, q, -q alone, with these rows in place of
/// B^T and the same weights and A^T. (The factors that its G would have, of p and q, are in the rows.)
///
///          -p2q2  -p q2   p2   p
///          -p2q2   p q2   p2  -p
///          -p2q2  -p2 q   q2   q
///          -p2q2   p2 q   q2  -q
struct OfShortInput {
  static constexpr int kSize = 4;
  static constexpr int kPairs = 2;

  template <int kPair>
  SPOTTER_INLINE_MEMBER static void Pair(const __m512* from, int from_step, __m512* to, int to_step) {
    using namespace points;
    static_assert(kPair < kPairs);
    const auto d = [&](int i) { return from[i * from_step]; };
    const float own = kPair == 0 ? kP2 : kQ2;
    const float other = kPair == 0 ? kQ2 : kP2;
    const __m512 even = _mm512_mul_ps(Constant(own), Minus(d(2), other, d(0)));
    BothSigns(even, kPair == 0 ? kP : kQ, Minus(d(3), other, d(1)), to, to_step);
  }
};
struct OfGradient {
  static constexpr int kSize = 4;
  static constexpr int kPairs = 3;

  template <int kPair>
  SPOTTER_INLINE_MEMBER static void Pair(const __m512* from, int from_step, __m512* to, int to_step) {
    using namespace points;
    const auto y = [&](int i) { return from[i * from_step]; };
    if constexpr (kPair == 2) {
      to[0] = y(0);
      to[to_step] = y(3);
    } else {
      const float square = kPair == 0 ? kP2 : kQ2;
      const __m512 even = Plus(y(0), square, y(2));
      const __m512 odd = Plus(y(1), square, y(3));
      BothSigns(even, kPair == 0 ? kP : kQ, odd, to, to_step);
    }
  }
};

/// kPairs pairs of rows from kFirst on.
template <typename Of, int kFirst, int kPairs>
SPOTTER_INLINE void Transform(const __m512* from, int from_step, __m512* to, int to_step) {
  Of::template Pair<kFirst>(from, from_step, to, to_step);
  if constexpr (kPairs > 1) Of::template Pair<kFirst + 1>(from, from_step, to + 2 * to_step, to_step);
  if constexpr (kPairs > 2) Of::template Pair<kFirst + 2>(from, from_step, to + 4 * to_step, to_step);
}

/// A^T m: four outputs of six products. `m(i)` gives them.
template <typename Products>
SPOTTER_INLINE void OutputTransform(const Products& m, __m512* y, int y_step) {
  using namespace points;
  const __m512 m0 = m(0);
  const __m512 m1 = m(1);
  const __m512 m2 = m(2);
  const __m512 m3 = m(3);
  const __m512 p_even = Add(m0, m1);
  const __m512 p_odd = Subtract(m0, m1);
  const __m512 q_even = Add(m2, m3);
  const __m512 q_odd = Subtract(m2, m3);
  y[0] = Add(m(4), Add(p_even, q_even));
  y[y_step] = Plus(_mm512_mul_ps(Constant(kQ), q_odd), kP, p_odd);
  y[2 * y_step] = Plus(_mm512_mul_ps(Constant(kQ2), q_even), kP2, p_even);
  y[3 * y_step] = Plus(Plus(m(5), kQ2 * kQ, q_odd), kP2 * kP, p_odd);
}
/// G g: six values of three weights.
SPOTTER_INLINE void WeightTransform(const __m512* g, int g_step, __m512* u, int u_step) {
  using namespace points;
  const __m512 g0 = g[0];
  const __m512 g1 = g[g_step];
  const __m512 g2 = g[2 * g_step];
  const __m512 p_even = _mm512_mul_ps(Constant(kS), Plus(g0, kP2, g2));
  const __m512 q_even = _mm512_mul_ps(Constant(kT), Plus(g0, kQ2, g2));
  BothSigns(p_even, kS * kP, g1, u, u_step);
  BothSigns(q_even, kT * kQ, g1, u + 2 * u_step, u_step);
  u[4 * u_step] = _mm512_mul_ps(Constant(1 / (kP2 * kQ2)), g0);
  u[5 * u_step] = g2;
}
/// G g G^T of 3x3 weights.
SPOTTER_INLINE void TransformWeights(const __m512* g, __m512* u) {
  __m512 t[18];
#pragma GCC unroll 3
  for (int j = 0; j < 3; ++j) WeightTransform(g + j, 3, t + j, 3);
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) WeightTransform(t + 3 * i, 1, u + 6 * i, 1);
}

/// G^T u: three weights' gradients from six frequencies.
SPOTTER_INLINE void TransposedWeight(const __m512* u, int u_step, __m512* g, int g_step) {
  using namespace points;
  const auto at = [&](int i) { return u[i * u_step]; };
  const __m512 p_even = _mm512_mul_ps(Constant(kS), Add(at(0), at(1)));
  const __m512 q_even = _mm512_mul_ps(Constant(kT), Add(at(2), at(3)));
  g[0] = Plus(Add(p_even, q_even), 1 / (kP2 * kQ2), at(4));
  g[g_step] = Plus(_mm512_mul_ps(Constant(kT * kQ), Subtract(at(2), at(3))), kS * kP, Subtract(at(0), at(1)));
  g[2 * g_step] = Plus(Plus(at(5), kQ2, q_even), kP2, p_even);
}
/// G^T u G: the weights' gradient from its frequencies.
SPOTTER_INLINE void TransposedWeights(const __m512* u, __m512* g) {
  __m512 t[18];
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j) TransposedWeight(u + j, 6, t + j, 6);
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) TransposedWeight(t + 6 * i, 1, g + 3 * i, 1);
}

}  // namespace spotter::kernels
