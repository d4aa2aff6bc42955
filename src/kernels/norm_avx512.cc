// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/activations_avx512.h"
#include "kernels/norm.h"

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

SPOTTER_INLINE __m512 Load(const bf16* p, __mmask16 mask) { return Widen(_mm256_maskz_loadu_epi16(mask, p)); }
SPOTTER_INLINE void Store(bf16* p, __mmask16 mask, __m512 v) { _mm256_mask_storeu_epi16(p, mask, Narrow(v)); }
SPOTTER_INLINE __m512 LoadOr(const float* p, int64_t c, __mmask16 mask, float otherwise) {
  return p != nullptr ? _mm512_maskz_loadu_ps(mask, p + c) : _mm512_set1_ps(otherwise);
}
SPOTTER_INLINE void AddTo(double* sums, __mmask16 mask, __m512 v) {
  const auto half = [&](double* to, __mmask8 m, __m256 x) {
    _mm512_mask_storeu_pd(to, m, _mm512_add_pd(_mm512_maskz_loadu_pd(m, to), _mm512_cvtps_pd(x)));
  };
  half(sums, static_cast<__mmask8>(mask), _mm512_castps512_ps256(v));
  half(sums + 8, static_cast<__mmask8>(mask >> 8), _mm512_extractf32x8_ps(v, 1));
}

/// For each channel two sums over all rows. add(i, c, mask, sums, others) adds the 16 values from channel c of the row
/// that begins at value i to 16 sums and 16 others. What the threads found is added up in their order.
template <typename Add>
const double* SumRowsOverThreads(const RowShape& s, Scratch& scratch, Add add) {
  const int64_t padded = (s.channels + kLanes - 1) / kLanes * kLanes;
  scratch.Reserve(kSums, static_cast<size_t>(2 * padded) * (sizeof(double) + sizeof(float)));
  const int threads = scratch.threads();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    auto* total = scratch.Get<double>(thread, kSums);
    auto* block = reinterpret_cast<float*>(total + 2 * padded);
    std::memset(total, 0, static_cast<size_t>(2 * padded) * sizeof(double));
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      std::memset(block, 0, static_cast<size_t>(2 * padded) * sizeof(float));
      for (int64_t i = first * s.channels; i < (first + rows) * s.channels; i += s.channels) {
        for (int64_t c = 0; c < s.channels; c += kLanes)
          add(i, c, First16(s.channels - c), block + c, block + padded + c);
      }
      for (int64_t c = 0; c < 2 * padded; c += kLanes) AddTo(total + c, 0xffff, _mm512_loadu_ps(block + c));
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

template <Act kAct>
void ApplyRows(const RowShape& s, const bf16* x, const float* factor, const float* shift, bf16* y, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t i = first * s.channels; i < (first + rows) * s.channels; i += s.channels) {
        for (int64_t c = 0; c < s.channels; c += kLanes) {
          const __mmask16 mask = First16(s.channels - c);
          const __m512 z =
              _mm512_fmadd_ps(Load(x + i + c, mask), LoadOr(factor, c, mask, 1), LoadOr(shift, c, mask, 0));
          Store(y + i + c, mask, Apply<kAct>(z));
        }
      }
    });
  }
}

template <Act kAct>
const double* SumRows(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                      const float* mean, Scratch& scratch) {
  return SumRowsOverThreads(s, scratch, [&](int64_t i, int64_t c, __mmask16 mask, float* sums, float* sums_x) {
    const __m512 value = Load(x + i + c, mask);
    const __m512 z = _mm512_fmadd_ps(value, LoadOr(factor, c, mask, 1), LoadOr(shift, c, mask, 0));
    const __m512 dz = Derive<kAct>(z, Load(dy + i + c, mask));
    _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), dz));
    _mm512_storeu_ps(sums_x,
                     _mm512_fmadd_ps(dz, _mm512_sub_ps(value, LoadOr(mean, c, mask, 0)), _mm512_loadu_ps(sums_x)));
  });
}

template <Act kAct>
void DeriveRows(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                const float* by_x, const float* constant, bf16* dx, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t i = first * s.channels; i < (first + rows) * s.channels; i += s.channels) {
        for (int64_t c = 0; c < s.channels; c += kLanes) {
          const __mmask16 mask = First16(s.channels - c);
          const __m512 value = Load(x + i + c, mask);
          const __m512 f = LoadOr(factor, c, mask, 1);
          const __m512 dz = Derive<kAct>(_mm512_fmadd_ps(value, f, LoadOr(shift, c, mask, 0)), Load(dy + i + c, mask));
          const __m512 rest = _mm512_fmadd_ps(value, LoadOr(by_x, c, mask, 0), LoadOr(constant, c, mask, 0));
          Store(dx + i + c, mask, _mm512_fmadd_ps(dz, f, rest));
        }
      }
    });
  }
}

/// Calls run<Act>() for the activation.
template <typename Run>
auto With(Act act, Run run) {
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

}  // namespace

void ChannelMoments(const RowShape& s, const bf16* x, float* mean, float* variance, Scratch& scratch) {
  // Squares of values near the mean keep their digits: the first row stands in for it.
  const double* total =
      SumRowsOverThreads(s, scratch, [&](int64_t i, int64_t c, __mmask16 mask, float* sums, float* squares) {
        const __m512 value = _mm512_sub_ps(Load(x + i + c, mask), Load(x + c, mask));
        _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), value));
        _mm512_storeu_ps(squares, _mm512_fmadd_ps(value, value, _mm512_loadu_ps(squares)));
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
  With(act, [&]<Act kAct>() { ApplyRows<kAct>(s, x, factor, shift, y, scratch.threads()); });
}

void GradientSums(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                  const float* mean, Act act, float* sum, float* sum_x, Scratch& scratch) {
  const double* total = With(act, [&]<Act kAct>() { return SumRows<kAct>(s, x, dy, factor, shift, mean, scratch); });
  for (int64_t c = 0; c < s.channels; ++c) sum[c] = static_cast<float>(total[c]);
  for (int64_t c = 0; c < s.channels && sum_x != nullptr; ++c) sum_x[c] = static_cast<float>(total[s.channels + c]);
}

void ActGradient(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                 const float* by_x, const float* constant, Act act, bf16* dx, Scratch& scratch) {
  With(act, [&]<Act kAct>() { DeriveRows<kAct>(s, x, dy, factor, shift, by_x, constant, dx, scratch.threads()); });
}

void ReluGradient(const RowShape& s, const bf16* y, bf16* dy, float* sum, Scratch& scratch) {
  const double* total = SumRowsOverThreads(s, scratch, [&](int64_t i, int64_t c, __mmask16 mask, float* sums, float*) {
    // ReLU's output is never negative: it is positive where its bits, but for the sign, are not zero.
    const __m256i output = _mm256_maskz_loadu_epi16(mask, y + i + c);
    const __mmask16 positive = _mm256_test_epi16_mask(output, _mm256_set1_epi16(0x7fff));
    const __m256i g = _mm256_maskz_loadu_epi16(positive, dy + i + c);
    _mm256_mask_storeu_epi16(dy + i + c, mask, g);
    _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), Widen(g)));
  });
  for (int64_t c = 0; c < s.channels; ++c) sum[c] = static_cast<float>(total[c]);
}

}  // namespace spotter::kernels
