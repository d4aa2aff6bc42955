// SPDX-License-Identifier: Apache-2.0
#include "kernels/add.h"
#include "kernels/avx512.h"

namespace spotter::kernels {

void AddMaps(int64_t values, const bf16* a, const bf16* b, bf16* y, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t i = 0; i < values; i += kChunk) {
    const __mmask32 mask = First32(values - i);
    const __m512i first = _mm512_maskz_loadu_epi16(mask, a + i);
    const __m512i second = _mm512_maskz_loadu_epi16(mask, b + i);
    const __m512 low = Widen(_mm512_castsi512_si256(first)) + Widen(_mm512_castsi512_si256(second));
    const __m512 high = Widen(_mm512_extracti64x4_epi64(first, 1)) + Widen(_mm512_extracti64x4_epi64(second, 1));
    _mm512_mask_storeu_epi16(y + i, mask, Pack(low, high));
  }
}

}  // namespace spotter::kernels
