// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512.h"
#include "kernels/peak.h"

namespace spotter::kernels {

double Avx512Bf16Burst() {
  constexpr int kSums = 24;  // independent ones: more than the latency times the products begun in a cycle
  constexpr int kTimes = 2000;
  static const volatile int one = 0x3f803f80;  // two bf16; volatile: the compiler must not know
  const __m512i a = _mm512_set1_epi32(one);
  const __m512i b = _mm512_set1_epi32(one);
  __m512 sum[kSums];
#pragma GCC unroll 24
  for (int i = 0; i < kSums; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int time = 0; time < kTimes; ++time) {
#pragma GCC unroll 24
    for (int i = 0; i < kSums; ++i) sum[i] = MultiplyAdd(sum[i], a, b);
  }
#pragma GCC unroll 24
  for (int i = 0; i < kSums; ++i) asm volatile("" : : "v"(sum[i]));
  return 2.0 * kTimes * kSums * kChunk;
}

}  // namespace spotter::kernels
