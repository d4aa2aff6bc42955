// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/activations_avx512.h"
#include "kernels/norm.h"

namespace spotter::kernels {
namespace {

constexpr int64_t kBlockRows32 = 32;  // rows that stay in the first-level cache, and whose sums stay fp32

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

/// Runs sum(thread, sums) in all threads, `count` sums each, and adds up what they found in the order of the threads.
template <typename Sum>
const double* SumOverThreads(int64_t count, Scratch& scratch, Sum sum) {
  scratch.Reserve(kSums, static_cast<size_t>(count) * sizeof(double));
  const int threads = scratch.threads();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    auto* sums = scratch.Get<double>(thread, kSums);
    std::memset(sums, 0, static_cast<size_t>(count) * sizeof(double));
    sum(thread, sums);
  }
  auto* total = scratch.Get<double>(0, kSums);
  for (int thread = 1; thread < threads; ++thread) {
    const auto* part = scratch.Get<double>(thread, kSums);
    for (int64_t i = 0; i < count; ++i) total[i] += part[i];
  }
  return total;
}

template <Act kAct>
void ApplyRows(const RowShape& s, const bf16* x, const float* factor, const float* shift, bf16* y, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t c = 0; c < s.channels; c += kLanes) {
        const __mmask16 mask = First16(s.channels - c);
        const __m512 f = LoadOr(factor, c, mask, 1);
        const __m512 b = LoadOr(shift, c, mask, 0);
        for (int64_t i = first * s.channels + c; i < (first + rows) * s.channels; i += s.channels)
          Store(y + i, mask, Apply<kAct>(_mm512_fmadd_ps(Load(x + i, mask), f, b)));
      }
    });
  }
}

template <Act kAct>
const double* SumRows(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                      const float* mean, Scratch& scratch) {
  const int threads = scratch.threads();
  return SumOverThreads(2 * s.channels, scratch, [&](int thread, double* sums) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t c = 0; c < s.channels; c += kLanes) {
        const __mmask16 mask = First16(s.channels - c);
        const __m512 f = LoadOr(factor, c, mask, 1);
        const __m512 b = LoadOr(shift, c, mask, 0);
        const __m512 m = LoadOr(mean, c, mask, 0);
        __m512 sum = _mm512_setzero_ps();
        __m512 sum_x = _mm512_setzero_ps();
        for (int64_t i = first * s.channels + c; i < (first + rows) * s.channels; i += s.channels) {
          const __m512 value = Load(x + i, mask);
          const __m512 dz = Derive<kAct>(_mm512_fmadd_ps(value, f, b), Load(dy + i, mask));
          sum = _mm512_add_ps(sum, dz);
          sum_x = _mm512_fmadd_ps(dz, _mm512_sub_ps(value, m), sum_x);
        }
        AddTo(sums + c, mask, sum);
        AddTo(sums + s.channels + c, mask, sum_x);
      }
    });
  });
}

template <Act kAct>
void DeriveRows(const RowShape& s, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                const float* by_x, const float* constant, bf16* dx, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t c = 0; c < s.channels; c += kLanes) {
        const __mmask16 mask = First16(s.channels - c);
        const __m512 f = LoadOr(factor, c, mask, 1);
        const __m512 b = LoadOr(shift, c, mask, 0);
        const __m512 k = LoadOr(by_x, c, mask, 0);
        const __m512 k0 = LoadOr(constant, c, mask, 0);
        for (int64_t i = first * s.channels + c; i < (first + rows) * s.channels; i += s.channels) {
          const __m512 value = Load(x + i, mask);
          const __m512 dz = Derive<kAct>(_mm512_fmadd_ps(value, f, b), Load(dy + i, mask));
          Store(dx + i, mask, _mm512_fmadd_ps(dz, f, _mm512_fmadd_ps(value, k, k0)));
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
  const int threads = scratch.threads();
  // Values near the mean keep the difference of squares exact: the first row stands in for it.
  const double* total = SumOverThreads(2 * s.channels, scratch, [&](int thread, double* sums) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t c = 0; c < s.channels; c += kLanes) {
        const __mmask16 mask = First16(s.channels - c);
        const __m512 pivot = Load(x + c, mask);
        __m512 sum = _mm512_setzero_ps();
        __m512 squares = _mm512_setzero_ps();
        for (int64_t i = first * s.channels + c; i < (first + rows) * s.channels; i += s.channels) {
          const __m512 value = _mm512_sub_ps(Load(x + i, mask), pivot);
          sum = _mm512_add_ps(sum, value);
          squares = _mm512_fmadd_ps(value, value, squares);
        }
        AddTo(sums + c, mask, sum);
        AddTo(sums + s.channels + c, mask, squares);
      }
    });
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
  const int threads = scratch.threads();
  const double* total = SumOverThreads(s.channels, scratch, [&](int thread, double* sums) {
    EachBlock(s.rows, thread, threads, [&](int64_t first, int64_t rows) {
      for (int64_t c = 0; c < s.channels; c += kChunk) {
        const __mmask32 mask = First32(s.channels - c);
        __m512 low = _mm512_setzero_ps();
        __m512 high = _mm512_setzero_ps();
        for (int64_t i = first * s.channels + c; i < (first + rows) * s.channels; i += s.channels) {
          // ReLU's output is never negative and never -0: it is positive where its bits are not zero.
          const __m512i output = _mm512_maskz_loadu_epi16(mask, y + i);
          const __mmask32 positive = _mm512_test_epi16_mask(output, output);
          const __m512i g = _mm512_maskz_loadu_epi16(positive, dy + i);
          _mm512_mask_storeu_epi16(dy + i, mask, g);
          low = _mm512_add_ps(low, Widen(_mm512_castsi512_si256(g)));
          high = _mm512_add_ps(high, Widen(_mm512_extracti64x4_epi64(g, 1)));
        }
        AddTo(sums + c, First16(s.channels - c), low);
        AddTo(sums + c + kLanes, First16(s.channels - c - kLanes), high);
      }
    });
  });
  for (int64_t c = 0; c < s.channels; ++c) sum[c] = static_cast<float>(total[c]);
}

}  // namespace spotter::kernels
