// SPDX-License-Identifier: Apache-2.0
#include "kernels/activations_avx512.h"
#include "kernels/norm_pool.h"
#include "kernels/pool_windows.h"

namespace spotter::kernels {
namespace {

SPOTTER_INLINE __m512 LoadFloats(const float* p, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, p); }

/// 16 channels of one window.
template <Act kAct>
SPOTTER_INLINE void Maximum(const WindowOffsets& offsets, const bf16* window, const float* factor, const float* shift,
                            __mmask16 mask, bf16* y, bf16* best, uint8_t* place) {
  const __m512 f = LoadFloats(factor, mask);
  const __m512 b = LoadFloats(shift, mask);
  __m512 best_x = LoadWide(window, mask);
  __m512 most = _mm512_fmadd_ps(best_x, f, b);
  __m512i where = _mm512_setzero_si512();
  for (int64_t i = 1; i < offsets.count(); ++i) {
    const __m512 x = LoadWide(window + offsets[i], mask);
    const __m512 z = _mm512_fmadd_ps(x, f, b);
    const __mmask16 larger = Exceeds(z, most);
    most = _mm512_mask_mov_ps(most, larger, z);
    best_x = _mm512_mask_mov_ps(best_x, larger, x);
    where = _mm512_mask_mov_epi32(where, larger, _mm512_set1_epi32(static_cast<int>(i)));
  }
  StoreNarrow(y, mask, Apply<kAct>(most));
  if (best != nullptr) StoreNarrow(best, mask, best_x);
  if (place != nullptr) _mm_mask_storeu_epi8(place, mask, _mm512_cvtepi32_epi8(where));
}

template <Act kAct>
void Forward(const PoolShape& s, const bf16* x, const float* factor, const float* shift, bf16* y, bf16* best,
             uint8_t* place, int threads) {
  const WindowOffsets offsets(s);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t line = 0; line < s.images * s.out_height(); ++line) {
    EachWindowOfRow(
        s, x, line, [&](int64_t window, int64_t out) __attribute__((always_inline)) {
          for (int64_t c = 0; c < s.channels; c += kLanes)
            Maximum<kAct>(offsets, x + window + c, factor + c, shift + c, First16(s.channels - c), y + out + c,
                          best != nullptr ? best + out + c : nullptr, place != nullptr ? place + out + c : nullptr);
        });
  }
}

template <Act kAct>
void Backward(const PoolShape& s, const bf16* x, const bf16* dy, const bf16* best, const uint8_t* place,
              const float* factor, const float* shift, const float* by_x, const float* constant, bf16* dx,
              int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t line = 0; line < s.images * s.height; ++line) {
    EachPixelOfRow(
        s, line, [&](int64_t pixel, int64_t window, int64_t here) __attribute__((always_inline)) {
          const int64_t at = pixel * s.channels;
          for (int64_t c = 0; c < s.channels; c += kLanes) {
            const __mmask16 mask = First16(s.channels - c);
            PrefetchLine(x + at + s.width * s.channels + c);  // the next row
            __m512 d =
                _mm512_fmadd_ps(LoadWide(x + at + c, mask), LoadFloats(by_x + c, mask), LoadFloats(constant + c, mask));
            if (window >= 0) {
              const int64_t out = window * s.channels + c;
              const __m128i places = _mm_maskz_loadu_epi8(mask, place + out);
              const __mmask16 is_here = _mm_mask_cmpeq_epi8_mask(mask, places, _mm_set1_epi8(static_cast<char>(here)));
              const __m512 f = LoadFloats(factor + c, mask);
              __m512 dz = LoadWide(dy + out, is_here);
              if constexpr (kAct == Act::kRelu)
                dz = Derive<kAct>(_mm512_fmadd_ps(LoadWide(best + out, mask), f, LoadFloats(shift + c, mask)), dz);
              d = _mm512_fmadd_ps(dz, f, d);
            }
            _mm256_mask_storeu_epi16(dx + at + c, mask, Narrow(d));
          }
        });
  }
}

}  // namespace

void NormMaxPool(const PoolShape& shape, const bf16* x, const float* factor, const float* shift, Act act, bf16* y,
                 bf16* best, uint8_t* place, int threads) {
  act == Act::kRelu ? Forward<Act::kRelu>(shape, x, factor, shift, y, best, place, threads)
                    : Forward<Act::kNone>(shape, x, factor, shift, y, best, place, threads);
}

void NormMaxPoolGradient(const PoolShape& shape, const bf16* x, const bf16* dy, const bf16* best, const uint8_t* place,
                         const float* factor, const float* shift, const float* by_x, const float* constant, Act act,
                         bf16* dx, int threads) {
  act == Act::kRelu ? Backward<Act::kRelu>(shape, x, dy, best, place, factor, shift, by_x, constant, dx, threads)
                    : Backward<Act::kNone>(shape, x, dy, best, place, factor, shift, by_x, constant, dx, threads);
}

}  // namespace spotter::kernels
