// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/activations_avx512.h"
#include "kernels/norm.h"
#include "kernels/prefetch.h"

namespace spotter::kernels {
namespace {

constexpr int64_t kBlockRows32 = 32;  // rows whose sums stay fp32

enum Slot { kSums };

/// Blocks of rows of one thread, equal parts in order: the same for the same number of threads.
template <typename Visit>
void EachBlock(int64_t rows, int thread, int threads, Visit visit) {
  const int64_t blocks = (rows + kBlockRows32 - 1) / kBlockRows32;
  for (int64_t b = blocks * thread / threads; b < blocks * (thread + 1) / threads; ++b)
    visit(b * kBlockRows32, std::min(kBlockRows32, rows - b * kBlockRows32));
}

/// What is needed `ahead` values later is asked for now.
SPOTTER_INLINE __m512 Load(const bf16* p, __mmask16 mask, int64_t ahead) {
  PrefetchLine(p + ahead);
  return LoadWide(p, mask);
}
constexpr int64_t kAhead = 1024;
/// Where a block of rows is read a few vectors of channels at a time: the same ones of the next block.
int64_t BlockAhead(const RowShape& s) { return s.channels > 4 * kLanes ? kBlockRows32 * s.channels : kAhead; }
SPOTTER_INLINE __m512 LoadOr(const float* p, int64_t c, __mmask16 mask, float otherwise) {
  return p != nullptr ? _mm512_maskz_loadu_ps(mask, p + c) : _mm512_set1_ps(otherwise);
}
SPOTTER_INLINE void AddTo(double* sums, __m512 v) {
  const auto half = [](double* to, __m256 x) {
    _mm512_storeu_pd(to, _mm512_add_pd(_mm512_loadu_pd(to), _mm512_cvtps_pd(x)));
  };
  half(sums, _mm512_castps512_ps256(v));
  half(sums + 8, _mm512_extractf32x8_ps(v, 1));
}

/// Calls visit(c, masks, vectors) for all channels: four vectors at a time, then one by one; vectors is a constant.
template <typename Visit>
SPOTTER_INLINE void EachFewVectors(int64_t channels, Visit visit) {
  constexpr int64_t kFour = 4 * kLanes;
  int64_t c = 0;
  for (; c + kFour <= channels; c += kFour) visit(c, __mmask16{0xffff}, std::integral_constant<int, 4>());
  for (; c < channels; c += kLanes) visit(c, First16(channels - c), std::integral_constant<int, 1>());
}

/// For each channel two sums over all rows. add(i, c, mask, sums, others) adds the 16 values from channel c of the row
/// that begins at value i to 16 sums and 16 others. What the threads found is added up in their order. The sums of a
/// few vectors of channels stay in registers for a block of rows.
template <typename Add>
const double* SumRowsOverThreads(const RowShape& s, Scratch& scratch, Add add) {
  const int64_t padded = (s.channels + kLanes - 1) / kLanes * kLanes;
  scratch.Reserve(kSums, static_cast<size_t>(2 * padded) * sizeof(double));
  const int threads = scratch.threads();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    auto* total = scratch.Get<double>(thread, kSums);
    std::memset(total, 0, static_cast<size_t>(2 * padded) * sizeof(double));
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      EachFewVectors(s.channels, [&](int64_t c, __mmask16 mask, auto vectors) {
        __m512 sums[vectors], others[vectors];
        for (int v = 0; v < vectors; ++v) sums[v] = others[v] = _mm512_setzero_ps();
        for (int64_t i = first * s.channels; i < (first + rows) * s.channels; i += s.channels) {
          for (int v = 0; v < vectors; ++v) add(i, c + kLanes * v, mask, sums[v], others[v]);
        }
        for (int v = 0; v < vectors; ++v) {
          AddTo(total + c + kLanes * v, sums[v]);
          AddTo(total + padded + c + kLanes * v, others[v]);
        }
      });
    });
  }
  auto* total = scratch.Get<double>(0, kSums);
  for (int thread = 1; thread < threads; ++thread) {
    const auto* part = scratch.Get<double>(thread, kSums);
    for (int64_t i = 0; i < 2 * padded; ++i) total[i] += part[i];
  }
  for (int64_t c = 0; c < s.channels; ++c) total[s.channels + c] = total[padded + c];
  return total;
}

/// Calls put(i, c, mask) for the values i + c of all rows, on all threads.
template <typename Put>
void EachVector(const RowShape& s, int threads, Put put) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t i = first * s.channels; i < (first + rows) * s.channels; i += s.channels) {
        EachFewVectors(s.channels, [&](int64_t c, __mmask16 mask, auto vectors) {
          for (int v = 0; v < vectors; ++v) put(i, c + kLanes * v, mask);
        });
      }
    });
  }
}

template <Act kAct>
void ApplyRows(const RowShape& s, const bf16* x, const float* factor, const float* shift, bf16* y, int threads) {
  EachVector(
      s, threads, [=](int64_t i, int64_t c, __mmask16 mask) __attribute__((always_inline)) {
        const __m512 z =
            _mm512_fmadd_ps(Load(x + i + c, mask, kAhead), LoadOr(factor, c, mask, 1), LoadOr(shift, c, mask, 0));
        StoreNarrow(y + i + c, mask, Apply<kAct>(z));
      });
}

template <Act kAct>
const double* SumRows(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                      const float* mean, bf16* dz, Scratch& scratch) {
  const int64_t ahead = BlockAhead(s);
  const auto add = [=](int64_t i, int64_t c, __mmask16 mask, __m512 & sum, __m512 & sum_x)
      __attribute__((always_inline)) {
    const __m512 value = Load(x + i + c, mask, ahead);
    const __m512 z = _mm512_fmadd_ps(value, LoadOr(factor, c, mask, 1), LoadOr(shift, c, mask, 0));
    const __m512 gradient = Derive<kAct>(z, Load(dy + i + c, mask, ahead));
    if (dz != nullptr) StoreNarrow(dz + i + c, mask, gradient);
    sum = _mm512_add_ps(sum, gradient);
    sum_x = _mm512_fmadd_ps(gradient, _mm512_sub_ps(value, LoadOr(mean, c, mask, 0)), sum_x);
  };
  return SumRowsOverThreads(s, scratch, add);
}

template <Act kAct>
void DeriveRows(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                const float* by_x, const float* constant, bf16* dx, int threads) {
  EachVector(
      s, threads, [=](int64_t i, int64_t c, __mmask16 mask) __attribute__((always_inline)) {
        const __m512 value = Load(x + i + c, mask, kAhead);
        const __m512 f = LoadOr(factor, c, mask, 1);
        const __m512 dz =
            Derive<kAct>(_mm512_fmadd_ps(value, f, LoadOr(shift, c, mask, 0)), Load(dy + i + c, mask, kAhead));
        // Where x is infinite, x * 0 is not 0.
        __m512 rest = LoadOr(constant, c, mask, 0);
        if (by_x != nullptr) rest = _mm512_fmadd_ps(value, LoadOr(by_x, c, mask, 0), rest);
        StoreNarrow(dx + i + c, mask, _mm512_fmadd_ps(dz, f, rest));
      });
}

}  // namespace

void ChannelMoments(const RowShape& s, const bf16* x, float* mean, float* variance, Scratch& scratch) {
  const int64_t ahead = BlockAhead(s);
  // Squares of values near the mean keep their digits: the first row stands in for it.
  const double* total =
      SumRowsOverThreads(s, scratch, [=](int64_t i, int64_t c, __mmask16 mask, __m512& sum, __m512& squares) {
        const __m512 value = _mm512_sub_ps(Load(x + i + c, mask, ahead), LoadWide(x + c, mask));
        sum = _mm512_add_ps(sum, value);
        squares = _mm512_fmadd_ps(value, value, squares);
      });
  const auto n = static_cast<double>(s.rows);
  for (int64_t c = 0; c < s.channels; ++c) {
    const double offset = total[c] / n;
    mean[c] = static_cast<float>(ToFloat(x[c]) + offset);
    variance[c] = static_cast<float>(std::max(total[s.channels + c] / n - offset * offset, 0.0));
  }
}

void ScaleShiftAct(const RowShape& s, const bf16* x, const float* factor, const float* shift, Act act, bf16* y,
                   Scratch& scratch) {
  WithAct(act, [&]<Act kAct>() { ApplyRows<kAct>(s, x, factor, shift, y, scratch.threads()); });
}

void GradientSums(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                  const float* mean, Act act, float* sum, float* sum_x, bf16* dz, Scratch& scratch) {
  const double* total =
      WithAct(act, [&]<Act kAct>() { return SumRows<kAct>(s, x, dy, factor, shift, mean, dz, scratch); });
  for (int64_t c = 0; c < s.channels; ++c) sum[c] = static_cast<float>(total[c]);
  for (int64_t c = 0; c < s.channels && sum_x != nullptr; ++c) sum_x[c] = static_cast<float>(total[s.channels + c]);
}

void ActGradient(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                 const float* by_x, const float* constant, Act act, bf16* dx, Scratch& scratch) {
  WithAct(act, [&]<Act kAct>() { DeriveRows<kAct>(s, x, dy, factor, shift, by_x, constant, dx, scratch.threads()); });
}

void ReluGradient(const RowShape& s, const bf16* y, bf16* dy, float* sum, Scratch& scratch) {
  const int64_t ahead = BlockAhead(s);
  const double* total =
      SumRowsOverThreads(s, scratch, [=](int64_t i, int64_t c, __mmask16 mask, __m512& sums, __m512&) {
        // ReLU's output is never negative: it is positive where its bits, but for the sign, are not zero.
        PrefetchLine(y + i + c + ahead);
        PrefetchLine(dy + i + c + ahead);
        const __m256i output = _mm256_maskz_loadu_epi16(mask, y + i + c);
        const __mmask16 positive = _mm256_test_epi16_mask(output, _mm256_set1_epi16(0x7fff));
        const __m256i g = _mm256_maskz_loadu_epi16(positive, dy + i + c);
        _mm256_mask_storeu_epi16(dy + i + c, mask, g);
        sums = _mm512_add_ps(sums, Widen(g));
      });
  for (int64_t c = 0; c < s.channels; ++c) sum[c] = static_cast<float>(total[c]);
}

}  // namespace spotter::kernels
