// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/pool.h"
#include "kernels/pool_windows.h"

namespace spotter::kernels {
namespace {

/// Whole blocks of values for a thread: each 64 bytes of the output belong to one.
constexpr int64_t kDropoutBlock = 4096;

/// Chris Wellons' "lowbias32": 32 well mixed bits from 32.
SPOTTER_INLINE __m512i Mix(__m512i x) {
  x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
  x = _mm512_mullo_epi32(x, _mm512_set1_epi32(0x7feb352d));
  x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 15));
  x = _mm512_mullo_epi32(x, _mm512_set1_epi32(static_cast<int>(0x846ca68b)));
  return _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
}

}  // namespace

void MaxPool(const PoolShape& s, const bf16* x, bf16* y, uint8_t* place, int threads) {
  const WindowOffsets offsets(s);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t line = 0; line < s.images * s.out_height(); ++line) {
    EachWindowOfRow(
        s, x, line, [&](int64_t window, int64_t out) __attribute__((always_inline)) {
          for (int64_t c = 0; c < s.channels; c += kLanes) {
            const __mmask16 mask = First16(s.channels - c);
            __m512 best = LoadWide(x + window + c, mask);
            __m512i where = _mm512_setzero_si512();
            for (int64_t i = 1; i < offsets.count(); ++i) {
              const __m512 value = LoadWide(x + window + offsets[i] + c, mask);
              const __mmask16 larger = Exceeds(value, best);
              best = _mm512_mask_mov_ps(best, larger, value);
              where = _mm512_mask_mov_epi32(where, larger, _mm512_set1_epi32(static_cast<int>(i)));
            }
            StoreNarrow(y + out + c, mask, best);
            if (place != nullptr) _mm_mask_storeu_epi8(place + out + c, mask, _mm512_cvtepi32_epi8(where));
          }
        });
  }
}

void MaxPoolGradient(const PoolShape& s, const bf16* dy, const uint8_t* place, bf16* dx, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t line = 0; line < s.images * s.height; ++line) {
    EachPixelOfRow(s, line, [&](int64_t pixel, int64_t window, int64_t here) {
      for (int64_t c = 0; c < s.channels; c += kChunk) {
        const __mmask32 mask = window < 0 ? 0 : First32(s.channels - c);
        const __m256i places = _mm256_maskz_loadu_epi8(mask, place + window * s.channels + c);
        const __mmask32 is_here = _mm256_mask_cmpeq_epi8_mask(mask, places, _mm256_set1_epi8(static_cast<char>(here)));
        _mm512_mask_storeu_epi16(dx + pixel * s.channels + c, First32(s.channels - c),
                                 _mm512_maskz_loadu_epi16(is_here, dy + window * s.channels + c));
      }
    });
  }
}

void Dropout(int64_t values, const bf16* x, double rate, uint64_t seed, bf16* y, int threads) {
  const __m512 scale = _mm512_set1_ps(static_cast<float>(1 / (1 - rate)));
  const __m512i least = _mm512_set1_epi32(static_cast<int>(static_cast<uint32_t>(std::lround(rate * 4294967295.0))));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t block = 0; block < values; block += kDropoutBlock) {
    const int64_t end = block + kDropoutBlock < values ? block + kDropoutBlock : values;
    for (int64_t i = block; i < end; i += kLanes) {
      const __m512i number = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(i)),
                                              _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
      const auto high = static_cast<int>((seed >> 32) + static_cast<uint64_t>(i >> 32));
      const __m512i bits = Mix(_mm512_xor_si512(
          Mix(_mm512_xor_si512(number, _mm512_set1_epi32(static_cast<int>(seed)))), _mm512_set1_epi32(high)));
      const __mmask16 mask = First16(end - i);
      const __mmask16 kept = _mm512_mask_cmpge_epu32_mask(mask, bits, least);
      _mm256_mask_storeu_epi16(y + i, mask, Narrow(_mm512_mul_ps(LoadWide(x + i, kept), scale)));
    }
  }
}

}  // namespace spotter::kernels
