// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/activations_avx512.h"
#include "kernels/dense_kinds.h"
#include "kernels/prefetch.h"

namespace spotter::kernels::avx512 {
namespace {

constexpr int64_t kSumPairs =
    128;  // that are added up at once: their panel of 64 columns fills two thirds of the cache

enum Slot { kColumns, kSums, kPairs };

int64_t Even(int64_t n) { return n + n % 2; }

/// Rows [row, row + 1] of a matrix, columns from `first` on, as 64 pairs; 0 where there is no such row or column.
void PairRows(const bf16* matrix, int64_t rows, int64_t columns, int64_t stride, int64_t row, int64_t first, bf16* to) {
  for (int64_t c = 0; c < kPanel; c += kLanes) {
    const __mmask16 mask = First16(columns - first - c);
    const bf16* from = matrix + row * stride + first + c;
    const __m256i a = _mm256_maskz_loadu_epi16(mask, from);
    const __m256i b = _mm256_maskz_loadu_epi16(row + 1 < rows ? mask : 0, from + stride);
    _mm512_storeu_si512(to + 2 * c, PairUp(a, b));
  }
}

/// A matrix whose rows have an even length, so that pairs don't reach into the next row: itself, or a copy with a 0
/// behind each row.
const bf16* EvenRows(const bf16* matrix, int64_t rows, int64_t columns, Scratch& scratch) {
  if (columns % 2 == 0) return matrix;
  scratch.ReserveShared(kPairs, static_cast<size_t>(rows * Even(columns)) * sizeof(bf16));
  auto* padded = scratch.Get<bf16>(0, kPairs);
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(padded + r * Even(columns), matrix + r * columns, static_cast<size_t>(columns) * sizeof(bf16));
    padded[(r + 1) * Even(columns) - 1] = 0;
  }
  return padded;
}

/// 16 pairs of up to 16 rows, turned over: [row][pair] to [pair][row], a pair's rows `width` apart from the next one's.
/// `values` are left of each row; 0 where there are no more rows.
void TurnPairs(const bf16* from, int64_t rows, int64_t stride, int64_t values, bf16* to, int64_t width) {
  __m512 pairs[kLanes];
  for (int64_t r = 0; r < kLanes; ++r) {
    const __mmask32 mask = r < rows ? First32(values) : 0;
    pairs[r] = _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(mask, from + r * stride));
  }
  Transpose(pairs);
  for (int64_t i = 0; i < std::min(kLanes, Even(values) / 2); ++i) _mm512_storeu_ps(to + i * width * 2, pairs[i]);
}

/// C[rows][16 * kVectors] (+)= A x B for any number of rows; A's rows are `row_stride` apart, its pairs `pair_stride`.
template <int kVectors, bool kAccumulate>
void PanelProduct(const bf16* a, int64_t rows, int64_t row_stride, int64_t pair_stride, const bf16* b, int64_t pairs,
                  float* c, int64_t c_stride) {
  int64_t r = 0;
  const auto block = [&](auto count) {
    for (; r + count <= rows; r += count) {
      // Rows that lie far apart are streams of their own: the next ones are asked for.
      for (int64_t next = r + count; next < std::min(r + 2 * count, rows) && pair_stride == 2; ++next) {
        for (int64_t k = 0; k < 2 * pairs; k += kChunk) PrefetchLine(a + next * row_stride + k);
      }
      Product<count, kVectors, kAccumulate>(a + r * row_stride, row_stride, pair_stride, b, kChunk * kVectors, pairs,
                                            c + r * c_stride, c_stride);
    }
  };
  block(std::integral_constant<int, kBlockRows<kVectors>>());
  block(std::integral_constant<int, 2>());
  block(std::integral_constant<int, 1>());
}

/// 16 outputs from their sums.
SPOTTER_INLINE void Finish(__m512 z, const float* bias, int64_t o, int64_t out, bool relu, bf16* y) {
  const __mmask16 mask = First16(out - o);
  if (bias != nullptr) z = _mm512_add_ps(z, _mm512_maskz_loadu_ps(mask, bias + o));
  if (relu) z = Apply<Act::kRelu>(z);
  StoreNarrow(y + o, mask, z);
}

/// A panel of 16 * kVectors outputs from `first` on; x has even rows.
template <int kVectors>
void OutputsOfFew(const DenseShape& s, const bf16* x, const bf16* turned, const float* bias, bool relu, int64_t first,
                  bf16* y) {
  constexpr int64_t kWidth = kLanes * kVectors;
  float sums[kDenseFew * kWidth];
  PanelProduct<kVectors, false>(x, s.images, Even(s.in), 2, turned + first * Even(s.in), Even(s.in) / 2, sums, kWidth);
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t o = 0; o < kWidth; o += kLanes)
      Finish(_mm512_loadu_ps(sums + n * kWidth + o), bias, first + o, s.out, relu, y + n * s.out);
  }
}

/// The transpose is computed, weights x images: the weights are read as they lie, and 16 * kVectors images, or fewer,
/// make a panel, whose first image's x and y these are.
template <int kVectors>
void ForwardOfPanel(const DenseShape& s, int64_t images, const bf16* x, const bf16* half, const float* bias, bool relu,
                    bf16* y, Scratch& scratch) {
  constexpr int64_t kWidth = kLanes * kVectors;
  constexpr int64_t kRows = kBlockRows<kVectors>;
  const int64_t pairs = Even(s.in) / 2;
  auto* columns = scratch.Get<bf16>(0, kColumns);
  auto* sums = scratch.Get<float>(0, kSums);
#pragma omp parallel num_threads(scratch.threads())
  {
#pragma omp for schedule(static)
    for (int64_t k = 0; k < pairs; k += kLanes) {
      for (int64_t n = 0; n < kWidth; n += kLanes)
        TurnPairs(x + n * s.in + 2 * k, images - n, s.in, s.in - 2 * k, columns + (k * kWidth + n) * 2, kWidth);
    }
    // Whole blocks of rows for a thread.
    const int64_t blocks = (s.out + kRows - 1) / kRows;
#pragma omp for schedule(static)
    for (int64_t part = 0; part < scratch.threads(); ++part) {
      const int64_t begin = blocks * part / scratch.threads() * kRows;
      const int64_t rows = std::min(blocks * (part + 1) / scratch.threads() * kRows, s.out) - begin;
      for (int64_t k = 0; k < pairs; k += kSumPairs) {
        const auto product = k == 0 ? PanelProduct<kVectors, false> : PanelProduct<kVectors, true>;
        product(half + begin * Even(s.in) + 2 * k, rows, Even(s.in), 2, columns + k * 2 * kWidth,
                std::min(kSumPairs, pairs - k), sums + begin * kWidth, kWidth);
      }
    }
#pragma omp for schedule(static)
    for (int64_t o = 0; o < s.out; o += kLanes) {
      for (int64_t n = 0; n < images; n += kLanes) {
        __m512 z[kLanes];
        for (int64_t i = 0; i < kLanes; ++i)
          z[i] = o + i < s.out ? _mm512_loadu_ps(sums + (o + i) * kWidth + n) : _mm512_setzero_ps();
        Transpose(z);
        for (int64_t i = 0; i < std::min(kLanes, images - n); ++i)
          Finish(z[i], bias, o, s.out, relu, y + (n + i) * s.out);
      }
    }
  }
}

}  // namespace

void HalveDenseWeights(const DenseShape& s, const float* weights, bf16* half, int threads) {
  constexpr int64_t kAhead = 1024;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t o = 0; o < s.out; ++o) {
    const float* from = weights + o * s.in;
    bf16* to = half + o * Even(s.in);
    to[Even(s.in) - 1] = 0;
    for (int64_t i = 0; i < s.in; i += kLanes) {
      PrefetchLine(from + i + kAhead);
      const __mmask16 mask = First16(s.in - i);
      _mm256_mask_storeu_epi16(to + i, mask, Narrow(_mm512_maskz_loadu_ps(mask, from + i)));
    }
  }
}

int64_t DenseTurnedSize(const DenseShape& s) { return PaddedColumns(s.out) * Even(s.in); }

void TurnDenseWeights(const DenseShape& s, const bf16* half, bf16* turned, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t o = 0; o < PaddedColumns(s.out); o += kLanes) {
    const int64_t panel = o / kPanel * kPanel;
    const int64_t width = PanelWidth(s.out, panel);
    for (int64_t k = 0; k < s.in; k += kChunk)
      TurnPairs(half + o * Even(s.in) + k, s.out - o, Even(s.in), Even(s.in) - k,
                turned + panel * Even(s.in) + k * width + (o - panel) * 2, width);
  }
}

void DenseForwardOfFew(const DenseShape& s, const bf16* x, const bf16* turned, const float* bias, bool relu, bf16* y,
                       Scratch& scratch) {
  const bf16* rows = EvenRows(x, s.images, s.in, scratch);
#pragma omp parallel for num_threads(scratch.threads()) schedule(static)
  for (int64_t first = 0; first < s.out; first += kPanel) {
    const auto outputs = PanelWidth(s.out, first) == kPanel ? OutputsOfFew<4> : OutputsOfFew<2>;
    outputs(s, rows, turned, bias, relu, first, y);
  }
}

void DenseForward(const DenseShape& s, const bf16* x, const bf16* half, const float* bias, bool relu, bf16* y,
                  Scratch& scratch) {
  scratch.ReserveShared(kColumns, static_cast<size_t>(Even(s.in) * kPanel) * sizeof(bf16));
  scratch.ReserveShared(kSums, static_cast<size_t>(s.out * kPanel) * sizeof(float));
  for (int64_t first = 0; first < s.images; first += kPanel) {
    const int64_t images = std::min(kPanel, s.images - first);
    const auto forward = images <= kLanes       ? ForwardOfPanel<1>
                         : images <= 2 * kLanes ? ForwardOfPanel<2>
                                                : ForwardOfPanel<4>;
    forward(s, images, x + first * s.in, half, bias, relu, y + first * s.out, scratch);
  }
}

void DenseDataGradient(const DenseShape& s, const bf16* dy, const bf16* half, bf16* dx, Scratch& scratch) {
  const int64_t pairs = Even(s.out) / 2;
  scratch.Reserve(kColumns, static_cast<size_t>(pairs * 2 * kPanel) * sizeof(bf16));
  scratch.Reserve(kSums, static_cast<size_t>(s.images * kPanel) * sizeof(float));
  const bf16* rows = EvenRows(dy, s.images, s.out, scratch);
#pragma omp parallel for num_threads(scratch.threads()) schedule(static)
  for (int64_t first = 0; first < s.in; first += kPanel) {
    const int me = omp_get_thread_num();
    auto* columns = scratch.Get<bf16>(me, kColumns);
    auto* sums = scratch.Get<float>(me, kSums);
    for (int64_t k = 0; k < pairs; ++k) {
      for (int64_t row = 2 * k; row < 2 * k + 2; ++row) {  // the next panel's
        PrefetchLine(half + row * Even(s.in) + first + kPanel);
        PrefetchLine(half + row * Even(s.in) + first + kPanel + kChunk);
      }
      PairRows(half, s.out, s.in, Even(s.in), 2 * k, first, columns + k * 2 * kPanel);
    }
    PanelProduct<4, false>(rows, s.images, Even(s.out), 2, columns, pairs, sums, kPanel);
    for (int64_t n = 0; n < s.images; ++n) {
      for (int64_t c = 0; c < kPanel && first + c < s.in; c += kLanes)
        StoreNarrow(dx + n * s.in + first + c, First16(s.in - first - c), _mm512_loadu_ps(sums + n * kPanel + c));
    }
  }
}

void DenseWeightGradient(const DenseShape& s, const bf16* x, const bf16* dy, float* dw, Scratch& scratch) {
  const int64_t pairs = Even(s.images) / 2;
  const int64_t out = RoundUp(s.out, kPanel);
  scratch.Reserve(kColumns, static_cast<size_t>(pairs * 2 * kPanel) * sizeof(bf16));
  scratch.Reserve(kSums, static_cast<size_t>(s.out * kPanel) * sizeof(float));
  scratch.ReserveShared(kPairs, static_cast<size_t>(pairs * 2 * out) * sizeof(bf16));
  auto* gradients = scratch.Get<bf16>(0, kPairs);  // [pair of images][out][2]
#pragma omp parallel num_threads(scratch.threads())
  {
#pragma omp for schedule(static)
    for (int64_t k = 0; k < pairs; ++k) {
      for (int64_t o = 0; o < s.out; o += kPanel)
        PairRows(dy, s.images, s.out, s.out, 2 * k, o, gradients + 2 * (k * out + o));
    }
    const int me = omp_get_thread_num();
    auto* columns = scratch.Get<bf16>(me, kColumns);
    auto* sums = scratch.Get<float>(me, kSums);
#pragma omp for schedule(static)
    for (int64_t first = 0; first < s.in; first += kPanel) {
      for (int64_t k = 0; k < pairs; ++k) PairRows(x, s.images, s.in, s.in, 2 * k, first, columns + k * 2 * kPanel);
      if (s.in - first >= kPanel) {
        PanelProduct<4, false>(gradients, s.out, 2, 2 * out, columns, pairs, dw + first, s.in);
        continue;
      }
      PanelProduct<4, false>(gradients, s.out, 2, 2 * out, columns, pairs, sums, kPanel);
      for (int64_t o = 0; o < s.out; ++o)
        std::memcpy(dw + o * s.in + first, sums + o * kPanel, static_cast<size_t>(s.in - first) * sizeof(float));
    }
  }
}

}  // namespace spotter::kernels::avx512
