// SPDX-License-Identifier: Apache-2.0
// One block of tiles on its way through the kernels: transformed input V, products M. For *_avx512.cc only.
//
// V: [frequency][tile][sum] bf16; M: [frequency][tile][column of the panel] fp32. Frequencies lie a little further
// apart than they need, since 16 streams at a power of two from each other would fall into the same sets of the cache.
#pragma once

#include "kernels/prefetch.h"
#include "kernels/winograd_layout.h"
#include "kernels/winograd_tiles.h"
#include "kernels/winograd_transforms.h"

namespace spotter::kernels {

/// Strides and sizes for blocks of at most `tiles` tiles with so many sums.
struct BlockLayout {
  explicit BlockLayout(int64_t tiles, int64_t sums)
      : sums(PaddedSums(sums)),
        v_stride((tiles + kOverrun) * this->sums + 64),
        m_stride((tiles + kOverrun) * kPanel + 32) {}
  int64_t sums;
  int64_t v_stride;  // between frequencies, in values
  int64_t m_stride;
  size_t v_bytes() const { return static_cast<size_t>(16 * v_stride + kChunk) * sizeof(bf16); }
  size_t m_bytes() const { return static_cast<size_t>(16 * m_stride) * sizeof(float); }
};

/// How many tiles make a block: V and M should fit the second-level cache (1 MiB) beside the weights of a frequency.
inline int64_t TilesOfBlock(int64_t sums) {
  if (sums < 48) return 48;
  return std::clamp<int64_t>(24576 / sums / 12 * 12, 24, 96);
}

/// The sixteen frequencies' products of a block with one panel of packed weights; `ahead` gets a turn for each.
template <int kVectors>
inline void BlockProducts(const bf16* v, const BlockLayout& layout, const TileBlock& block, const bf16* panel, float* m,
                          Prefetch& ahead) {
  constexpr int64_t kWidth = kLanes * kVectors;
  for (int f = 0; f < 16; ++f) {
    ahead.Turn();
    const bf16* weights = panel + f * layout.sums * kWidth;
    for (int64_t t = block.Begin(f); t < block.End(f); t += kBlockRows<kVectors>)
      Product<kBlockRows<kVectors>, kVectors, false>(v + f * layout.v_stride + t * layout.sums, layout.sums, 2, weights,
                                                     2 * kWidth, layout.sums / 2, m + f * layout.m_stride + t * kWidth,
                                                     kWidth);
  }
}
static inline void PanelProducts(const bf16* v, const BlockLayout& layout, const TileBlock& block, const bf16* panel,
                                 int64_t width, float* m, Prefetch& ahead) {
  if (width == kPanel) {
    BlockProducts<4>(v, layout, block, panel, m, ahead);
  } else {
    BlockProducts<2>(v, layout, block, panel, m, ahead);
  }
}

/// The 16 pixels of a tile, 32 channels from `first` on, transformed and stored by frequency at v, `stride` apart.
/// `kPart`: fewer than 32 channels are left; what is stored behind them is zero.
template <bool kPart>
SPOTTER_INLINE void TransformTilePart(const bf16* const* pixels, int64_t first, __mmask32 mask, bf16* v,
                                      int64_t stride) {
  __m512 even[16];
  __m512 odd[16];
  const auto load = [&](int i) {
    return kPart ? _mm512_maskz_loadu_epi16(mask, pixels[i] + first) : _mm512_loadu_si512(pixels[i] + first);
  };
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) even[i] = Even(load(i));
  TransformInput(even);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) odd[i] = Odd(load(i));
  TransformInput(odd);
  const __m512i order = Interleaved();
#pragma GCC unroll 16
  for (int f = 0; f < 16; ++f) {
    const __m512i packed = Pack(even[f], odd[f]);
    _mm512_storeu_si512(v + f * stride, kPart ? _mm512_permutexvar_epi16(order, packed) : packed);
  }
}
/// All channels of a tile. Up to 31 values behind its row are overwritten: rows are written in order.
SPOTTER_INLINE void TransformTile(const bf16* const* pixels, int64_t channels, bf16* v, int64_t stride) {
  int64_t c = 0;
  for (; c + kChunk <= channels; c += kChunk) TransformTilePart<false>(pixels, c, ~0u, v + c, stride);
  if (c < channels) TransformTilePart<true>(pixels, c, First32(channels - c), v + c, stride);
}

}  // namespace spotter::kernels
