// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <algorithm>
#include <cstring>

#include "kernels/activations_avx512.h"
#include "kernels/patch_conv.h"
#include "kernels/winograd_layout.h"

namespace spotter::kernels {
namespace {

constexpr int64_t kPixels = 96;  // that are worked on at once
constexpr int64_t kSlack = 12;   // rows that a product may read behind them

enum Slot { kPatches, kProducts, kPairs, kSums };

int64_t PatchSize(const ConvShape& s) { return s.kernel * s.kernel * s.in; }
int64_t PixelsOf(const ConvShape& s) { return s.conv_height() * s.conv_width(); }

/// The patches of `count` output pixels from number `first` on, one behind the other, each padded to `stride` values.
void GatherPatches(const ConvShape& s, const bf16* x, int64_t first, int64_t count, int64_t stride, bf16* patches) {
  const int64_t run = s.kernel * s.in;  // a row of the kernel
  int64_t image = first / PixelsOf(s);
  int64_t row = first % PixelsOf(s) / s.conv_width();
  int64_t column = first % s.conv_width();
  for (int64_t i = 0; i < count; ++i, patches += stride) {
    for (int64_t ky = 0; ky < s.kernel; ++ky) {
      const int64_t y = row + ky - s.pad;
      const int64_t left = column - s.pad;
      bf16* to = patches + ky * run;
      const int64_t before = std::clamp<int64_t>(-left, 0, s.kernel);
      const int64_t inside = std::clamp<int64_t>(s.width - left, 0, s.kernel) - before;
      if (y < 0 || y >= s.height || inside <= 0) {
        std::memset(to, 0, static_cast<size_t>(run) * sizeof(bf16));
        continue;
      }
      const bf16* from = x + ((image * s.height + y) * s.width + left + before) * s.in;
      if (inside == s.kernel && run <= kChunk) {
        const __mmask32 mask = First32(run);
        _mm512_mask_storeu_epi16(to, mask, _mm512_maskz_loadu_epi16(mask, from));
        continue;
      }
      std::memset(to, 0, static_cast<size_t>(run) * sizeof(bf16));
      std::memcpy(to + before * s.in, from, static_cast<size_t>(inside * s.in) * sizeof(bf16));
    }
    std::fill_n(patches + PatchSize(s), stride - PatchSize(s), bf16{0});
    if (++column < s.conv_width()) continue;
    column = 0;
    if (++row < s.conv_height()) continue;
    row = 0;
    ++image;
  }
}

template <int kVectors>
void Products(const bf16* patches, int64_t size, int64_t count, const bf16* panel, float* m) {
  constexpr int64_t kWidth = kLanes * kVectors;
  for (int64_t i = 0; i < count; i += kBlockRows<kVectors>)
    Product<kBlockRows<kVectors>, kVectors, false>(patches + i * size, size, 2, panel, 2 * kWidth, size / 2,
                                                   m + i * kWidth, kWidth);
}

template <Act kAct>
void WriteOutputs(const ConvShape& s, const float* m, int64_t width, int64_t channel, int64_t first, int64_t count,
                  const float* bias, bf16* z, bf16* y) {
  for (int64_t c = 0; c < width && channel + c < s.out; c += kLanes) {
    const __mmask16 mask = First16(s.out - channel - c);
    const __m512 b = bias != nullptr ? _mm512_maskz_loadu_ps(mask, bias + channel + c) : _mm512_setzero_ps();
    for (int64_t i = 0; i < count; ++i) {
      const __m512 value = _mm512_add_ps(_mm512_loadu_ps(m + i * width + c), b);
      const int64_t at = (first + i) * s.out + channel + c;
      if (z != nullptr) _mm256_mask_storeu_epi16(z + at, mask, Narrow(value));
      _mm256_mask_storeu_epi16(y + at, mask, Narrow(Apply<kAct>(value)));
    }
  }
}

template <Act kAct>
void Forward(const ConvShape& s, const bf16* x, const bf16* packed, const float* bias, bf16* z, bf16* y,
             Scratch& scratch) {
  const int64_t size = PaddedSums(PatchSize(s));
  scratch.Reserve(kPatches, static_cast<size_t>((kPixels + kSlack) * size + kChunk) * sizeof(bf16));
  scratch.Reserve(kProducts, static_cast<size_t>((kPixels + kSlack) * kPanel) * sizeof(float));
  const int64_t pixels = s.images * PixelsOf(s);
#pragma omp parallel num_threads(scratch.threads())
  {
    auto* patches = scratch.Get<bf16>(omp_get_thread_num(), kPatches);
    auto* m = scratch.Get<float>(omp_get_thread_num(), kProducts);
#pragma omp for schedule(static)
    for (int64_t first = 0; first < pixels; first += kPixels) {
      const int64_t count = std::min(kPixels, pixels - first);
      GatherPatches(s, x, first, count, size, patches);
      for (int64_t c = 0; c < s.out; c += kPanel) {
        const int64_t width = PanelWidth(s.out, c);
        if (width == kPanel) {
          Products<4>(patches, size, count, packed + c * size, m);
        } else {
          Products<2>(patches, size, count, packed + c * size, m);
        }
        WriteOutputs<kAct>(s, m, width, c, first, count, bias, z, y);
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

template <int kVectors>
void AddProducts(int64_t size, const bf16* pairs_v, const bf16* pairs_d, int64_t pairs, float* sums, int64_t columns) {
  constexpr int kRows = kBlockRows<kVectors>;
  int64_t r = 0;
  const int64_t v_stride = 2 * RoundUp(size, kChunk);
  for (; r + kRows <= size; r += kRows)
    Product<kRows, kVectors, true>(pairs_v + 2 * r, 2, v_stride, pairs_d, 2 * columns, pairs, sums + r * columns,
                                   columns);
  for (; r < size; r += 2)
    Product<2, kVectors, true>(pairs_v + 2 * r, 2, v_stride, pairs_d, 2 * columns, pairs, sums + r * columns, columns);
}

}  // namespace

int64_t PatchPackedSize(const ConvShape& s) { return PaddedSums(PatchSize(s)) * PaddedColumns(s.out); }

void PackPatchWeights(const ConvShape& s, const float* weights, bf16* packed) {
  const int64_t size = PaddedSums(PatchSize(s));
  std::fill_n(packed, PatchPackedSize(s), bf16{0});
  for (int64_t o = 0; o < s.out; ++o) {
    const int64_t panel = o / kPanel * kPanel;
    const int64_t width = PanelWidth(s.out, panel);
    for (int64_t k = 0; k < PatchSize(s); ++k)
      packed[panel * size + (k / 2 * width + o - panel) * 2 + k % 2] = ToBf16(weights[o * PatchSize(s) + k]);
  }
}

void PatchForward(const ConvShape& s, const bf16* x, const bf16* packed, const float* bias, Act act, bf16* z, bf16* y,
                  Scratch& scratch) {
  if (act == Act::kNone) Forward<Act::kNone>(s, x, packed, bias, z, y, scratch);
  if (act == Act::kRelu) Forward<Act::kRelu>(s, x, packed, bias, z, y, scratch);
  if (act == Act::kGelu) Forward<Act::kGelu>(s, x, packed, bias, z, y, scratch);
  if (act == Act::kSilu) Forward<Act::kSilu>(s, x, packed, bias, z, y, scratch);
}

void PatchWeightGradient(const ConvShape& s, const bf16* x, const bf16* dz, float* dw, Scratch& scratch) {
  const int64_t size = PaddedSums(PatchSize(s));
  const int64_t rows = RoundUp(size, kChunk);
  const int64_t columns = PaddedColumns(s.out);
  const int64_t v_values = kPixels / 2 * 2 * rows;
  scratch.Reserve(kPatches, static_cast<size_t>((kPixels + kSlack) * size + kChunk) * sizeof(bf16));
  scratch.Reserve(kPairs, static_cast<size_t>(v_values + kPixels / 2 * 2 * columns) * sizeof(bf16));
  scratch.Reserve(kSums, static_cast<size_t>(rows * columns) * sizeof(float));
  const int64_t pixels = s.images * PixelsOf(s);
  const int64_t blocks = (pixels + kPixels - 1) / kPixels;
  const int threads = scratch.threads();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    auto* patches = scratch.Get<bf16>(thread, kPatches);
    auto* v = scratch.Get<bf16>(thread, kPairs);
    bf16* d = v + v_values;
    auto* sums = scratch.Get<float>(thread, kSums);
    std::fill_n(sums, rows * columns, 0.0f);
    for (int64_t block = blocks * thread / threads; block < blocks * (thread + 1) / threads; ++block) {
      const int64_t first = block * kPixels;
      const int64_t count = std::min(kPixels, pixels - first);
      GatherPatches(s, x, first, count, size, patches);
      for (int64_t i = 0; i < count; i += 2) {
        const bool both = i + 1 < count;
        for (int64_t k = 0; k < size; k += kChunk) {
          const __mmask32 mask = First32(size - k);
          Interleave(_mm512_maskz_loadu_epi16(mask, patches + i * size + k),
                     _mm512_maskz_loadu_epi16(both ? mask : 0u, patches + (i + 1) * size + k), v + i * rows + 2 * k);
        }
        for (int64_t c = 0; c < columns; c += kChunk) {
          const __mmask32 mask = First32(s.out - c);
          const bf16* from = dz + (first + i) * s.out + c;
          Interleave(_mm512_maskz_loadu_epi16(mask, from), _mm512_maskz_loadu_epi16(both ? mask : 0u, from + s.out),
                     d + i * columns + 2 * c);
        }
      }
      for (int64_t c = 0; c < columns; c += kPanel) {
        if (columns - c >= kPanel) {
          AddProducts<4>(size, v, d + 2 * c, (count + 1) / 2, sums + c, columns);
        } else {
          AddProducts<2>(size, v, d + 2 * c, (count + 1) / 2, sums + c, columns);
        }
      }
    }
  }
  for (int64_t o = 0; o < s.out; ++o) {
    for (int64_t k = 0; k < PatchSize(s); ++k) {
      float sum = 0;
      for (int thread = 0; thread < threads; ++thread) sum += scratch.Get<float>(thread, kSums)[k * columns + o];
      dw[o * PatchSize(s) + k] = sum;
    }
  }
}

}  // namespace spotter::kernels
