// SPDX-License-Identifier: Apache-2.0
// Convolutions of few channels in AVX-512 bf16: the runs of a patch are read where they lie.
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/activations_avx512.h"
#include "kernels/panels.h"
#include "kernels/patch_conv_kinds.h"
#include "kernels/patch_rows.h"
#include "kernels/prefetch.h"

namespace spotter::kernels::avx512 {
namespace {

enum Slot { kPadded, kPairs, kGradients, kSums };

int64_t RunPairs(const ConvShape& s) { return (Run(s) + 1) / 2; }  // the last one's second value has weight 0

/// The outputs of a panel of 16 * kVectors channels.
struct Panel {
  const bf16* weights;
  const float* bias;
  int64_t channel;  // the first
  bf16* z;
  bf16* y;
};

/// kPixels outputs from `pixel` on; their first patch begins at `patch`.
template <int kPixels, int kVectors, Act kAct>
SPOTTER_INLINE void Outputs(const ConvShape& s, const bf16* patch, const Panel& panel, int64_t pixel) {
  __m512 sum[kPixels][kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const int64_t c = panel.channel + kLanes * v;
    const __m512 bias =
        panel.bias != nullptr ? _mm512_maskz_loadu_ps(First16(s.out - c), panel.bias + c) : _mm512_setzero_ps();
#pragma GCC unroll 12
    for (int i = 0; i < kPixels; ++i) sum[i][v] = bias;
  }
  const bf16* b = panel.weights;
  for (int64_t ky = 0; ky < s.kernel; ++ky) {
    const bf16* a = patch + ky * RowValues(s);
    for (int64_t k = 0; k < RunPairs(s); ++k, a += 2, b += kChunk * kVectors) {
      __m512i column[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) column[v] = _mm512_loadu_si512(b + kChunk * v);
#pragma GCC unroll 12
      for (int i = 0; i < kPixels; ++i) {
        const __m512i pair = BroadcastPair(a + i * s.in);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sum[i][v] = MultiplyAdd(sum[i][v], pair, column[v]);
      }
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const int64_t c = panel.channel + kLanes * v;
    const __mmask16 mask = First16(s.out - c);
#pragma GCC unroll 12
    for (int i = 0; i < kPixels; ++i) {
      const int64_t at = (pixel + i) * s.out + c;
      if (panel.z != nullptr) _mm256_mask_storeu_epi16(panel.z + at, mask, Narrow(sum[i][v]));
      _mm256_mask_storeu_epi16(panel.y + at, mask, Narrow(Apply<kAct>(sum[i][v])));
    }
  }
}

/// The outputs of one row. The last pixels that don't fill a block are computed with some that are done already.
template <int kVectors, Act kAct>
void Row(const ConvShape& s, const bf16* padded, const Panel& panel, int64_t pixel) {
  constexpr int kPixels = kBlockRows<kVectors>;
  const int64_t width = s.conv_width();
  int64_t i = 0;
  for (; i + kPixels <= width; i += kPixels) Outputs<kPixels, kVectors, kAct>(s, padded + i * s.in, panel, pixel + i);
  if (i < width && width >= kPixels) {
    i = width - kPixels;
    Outputs<kPixels, kVectors, kAct>(s, padded + i * s.in, panel, pixel + i);
    return;
  }
  for (; i < width; ++i) Outputs<1, kVectors, kAct>(s, padded + i * s.in, panel, pixel + i);
}

template <Act kAct>
void Forward(const ConvShape& s, const bf16* x, const bf16* packed, const float* bias, bf16* z, bf16* y,
             Scratch& scratch) {
  scratch.Reserve(kPadded, static_cast<size_t>(PaddedValues(s)) * sizeof(bf16));
#pragma omp parallel num_threads(scratch.threads())
  {
    auto* padded = scratch.Get<bf16>(omp_get_thread_num(), kPadded);
#pragma omp for schedule(static)
    for (int64_t index = 0; index < s.images * Bands(s); ++index) {
      const Band band = BandAt(s, index);
      PadRows(s, band, x, padded);
      for (int64_t c = 0; c < s.out; c += kPanel) {
        const Panel panel{packed + c * 2 * s.kernel * RunPairs(s), bias, c, z, y};
        const bool wide = PanelWidth(s.out, c) == kPanel;
        for (int64_t r = 0; r < band.rows; ++r) {
          const int64_t pixel = (band.image * s.conv_height() + band.row + r) * s.conv_width();
          const bf16* row = padded + r * RowValues(s);
          wide ? Row<4, kAct>(s, row, panel, pixel) : Row<2, kAct>(s, row, panel, pixel);
        }
      }
    }
  }
}

/// Two rows of values, interleaved.
SPOTTER_INLINE void Interleave(__m512i a, __m512i b, bf16* to) {
  short low[32];
  for (int i = 0; i < 32; ++i) low[i] = static_cast<short>(i / 2 + (i % 2) * 32);
  const __m512i index = _mm512_loadu_si512(low);
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16(a, index, b));
  _mm512_storeu_si512(to + kChunk, _mm512_permutex2var_epi16(a, _mm512_add_epi16(index, _mm512_set1_epi16(16)), b));
}

/// The gradients of one row of outputs as pairs of pixels, [pair][channel][2]; with y, 0 where y isn't positive.
void PairGradients(const ConvShape& s, const bf16* dy, const bf16* y, int64_t pixel, int64_t columns, bf16* pairs) {
  const auto load = [&](int64_t i, int64_t c, bool there) {
    __mmask32 mask = there ? First32(s.out - c) : 0;
    const int64_t at = (pixel + i) * s.out + c;
    const int64_t next_row = at + s.conv_width() * s.out;  // asked for in time: the loads would wait for memory
    PrefetchLine(dy + next_row);
    if (y != nullptr) PrefetchLine(y + next_row);
    if (y != nullptr)  // ReLU's output is never negative: it is positive where its bits, but for the sign, aren't 0
      mask = _mm512_mask_test_epi16_mask(mask, _mm512_maskz_loadu_epi16(mask, y + at), _mm512_set1_epi16(0x7fff));
    return _mm512_maskz_loadu_epi16(mask, dy + at);
  };
  for (int64_t i = 0; i < s.conv_width(); i += 2, pairs += 2 * columns) {
    for (int64_t c = 0; c < columns; c += kChunk)
      Interleave(load(i, c, true), load(i + 1, c, i + 1 < s.conv_width()), pairs + 2 * c);
  }
}

/// Adds to sums[run][columns] the products of a run of the patches, from a on, with the gradients of one row of
/// outputs, 32 columns of them.
void AddRun(const ConvShape& s, const bf16* a, const bf16* gradients, int64_t columns, float* sums) {
  const int64_t pairs = (s.conv_width() + 1) / 2;
  int64_t k = 0;
  const auto add = [&](auto rows) {
    for (; k + rows <= Run(s); k += rows)
      Product<rows, 2, true>(a + 2 * k, 2, 4 * s.in, gradients, 2 * columns, pairs, sums + k * columns, columns);
  };
  add(std::integral_constant<int, 9>());
  add(std::integral_constant<int, 6>());
  add(std::integral_constant<int, 3>());
  add(std::integral_constant<int, 1>());
}

}  // namespace

int64_t PatchPackedSize(const ConvShape& s) { return 2 * s.kernel * RunPairs(s) * PaddedColumns(s.out); }

void PackPatchWeights(const ConvShape& s, const float* weights, bf16* packed) {
  std::fill_n(packed, avx512::PatchPackedSize(s), bf16{0});
  for (int64_t o = 0; o < s.out; ++o) {
    const int64_t first = o / kPanel * kPanel;
    const int64_t width = PanelWidth(s.out, first);
    for (int64_t ky = 0; ky < s.kernel; ++ky) {
      for (int64_t k = 0; k < Run(s); ++k) {
        const int64_t pair = ky * RunPairs(s) + k / 2;
        packed[first * 2 * s.kernel * RunPairs(s) + (pair * width + o - first) * 2 + k % 2] =
            ToBf16(weights[(o * s.kernel + ky) * Run(s) + k]);
      }
    }
  }
}

void PatchForward(const ConvShape& s, const bf16* x, const bf16* packed, const float* bias, Act act, bf16* z, bf16* y,
                  Scratch& scratch) {
  WithAct(act, [&]<Act kAct>() { Forward<kAct>(s, x, packed, bias, z, y, scratch); });
}

void PatchWeightGradient(const ConvShape& s, const bf16* x, const bf16* dy, const bf16* y, float* dw, float* db,
                         Scratch& scratch) {
  const int64_t size = s.kernel * Run(s);
  const int64_t columns = PaddedColumns(s.out);
  const int64_t row_pairs = (s.conv_width() + 1) / 2;
  scratch.Reserve(kPadded, static_cast<size_t>(PaddedValues(s)) * sizeof(bf16));
  scratch.Reserve(kPairs, static_cast<size_t>(2 * PaddedValues(s) + 2 * kChunk) * sizeof(bf16));
  scratch.Reserve(kGradients, static_cast<size_t>(row_pairs * 2 * columns) * sizeof(bf16));
  scratch.Reserve(kSums, static_cast<size_t>((size + 1) * columns) * sizeof(float));
  const int64_t bands = s.images * Bands(s);
  const int threads = scratch.threads();
  const uint32_t two_ones = 0x3f803f80;  // the bias's patch
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    auto* padded = scratch.Get<bf16>(thread, kPadded);
    auto* pairs = scratch.Get<bf16>(thread, kPairs);  // each padded value with that of the next pixel
    auto* gradients = scratch.Get<bf16>(thread, kGradients);
    auto* sums = scratch.Get<float>(thread, kSums);
    std::fill_n(sums, (size + 1) * columns, 0.0f);
    for (int64_t index = bands * thread / threads; index < bands * (thread + 1) / threads; ++index) {
      const Band band = BandAt(s, index);
      PadRows(s, band, x, padded);
      for (int64_t i = 0; i < (band.rows + s.kernel - 1) * RowValues(s); i += kChunk)
        Interleave(_mm512_loadu_si512(padded + i), _mm512_loadu_si512(padded + i + s.in), pairs + 2 * i);
      for (int64_t r = 0; r < band.rows; ++r) {
        const int64_t pixel = (band.image * s.conv_height() + band.row + r) * s.conv_width();
        PairGradients(s, dy, y, pixel, columns, gradients);
        for (int64_t c = 0; c < columns; c += kChunk) {
          for (int64_t ky = 0; ky < s.kernel; ++ky)
            AddRun(s, pairs + 2 * (r + ky) * RowValues(s), gradients + 2 * c, columns,
                   sums + ky * Run(s) * columns + c);
          Product<1, 2, true>(reinterpret_cast<const bf16*>(&two_ones), 0, 0, gradients + 2 * c, 2 * columns, row_pairs,
                              sums + size * columns + c, columns);
        }
      }
    }
  }
  const auto sum = [&](int64_t k, int64_t o) {
    float total = 0;
    for (int thread = 0; thread < threads; ++thread) total += scratch.Get<float>(thread, kSums)[k * columns + o];
    return total;
  };
  for (int64_t o = 0; o < s.out; ++o) {
    for (int64_t k = 0; k < size; ++k) dw[o * size + k] = sum(k, o);
    if (db != nullptr) db[o] = sum(size, o);
  }
}

}  // namespace spotter::kernels::avx512
