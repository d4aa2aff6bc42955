// SPDX-License-Identifier: Apache-2.0
// One block of tiles on its way through the kernels: transformed input V, products M. For *_avx512.cc only.
//
// V: [frequency][tile][sum] bf16; M: [frequency][tile][column of the panel] fp32. Frequencies lie a little further
// apart than they need, since 36 streams at a power of two from each other would fall into the same sets of the cache.
#pragma once

#include "kernels/winograd_layout.h"
#include "kernels/winograd_maps_avx512.h"

namespace spotter::kernels {

/// Rows that a product may read and write behind a block's last.
constexpr int64_t kOverrun = kBlockRows<2> / 2;

/// Strides and sizes for blocks of at most `tiles` tiles with so many sums.
struct BlockLayout {
  explicit BlockLayout(int64_t tiles, int64_t sums)
      : sums(PaddedSums(sums)),
        v_stride((tiles + kOverrun) * this->sums + 64),
        m_stride((tiles + kOverrun) * kPanel + 32) {}
  int64_t sums;
  int64_t v_stride;  // between frequencies, in values
  int64_t m_stride;
  size_t v_bytes() const { return static_cast<size_t>(kFrequencies * v_stride + kChunk) * sizeof(bf16); }
  size_t m_bytes() const { return static_cast<size_t>(kFrequencies * m_stride) * sizeof(float); }
};

/// How many tiles make a block: V and M should fit the second-level cache (1 MiB) beside the weights of a frequency.
inline int64_t TilesOfBlock(int64_t sums) {
  constexpr int64_t kBytes = 900'000;
  const int64_t of_tile = kFrequencies * (sums * int64_t{sizeof(bf16)} + kPanel * int64_t{sizeof(float)});
  return std::clamp<int64_t>(kBytes / of_tile / 12 * 12, 24, 96);
}

/// Rows of a block times one frequency's weights: as many as `rows`, and perhaps fewer than kOverrun more.
template <int kVectors>
SPOTTER_INLINE void RowProducts(const bf16* v, int64_t sums, int64_t rows, const bf16* weights, float* m) {
  constexpr int kRows = kBlockRows<kVectors>;
  constexpr int64_t kWidth = kLanes * kVectors;
  int64_t t = 0;
  for (; t + kRows / 2 < rows; t += kRows)
    Product<kRows, kVectors, false>(v + t * sums, sums, 2, weights, 2 * kWidth, sums / 2, m + t * kWidth, kWidth);
  if (t < rows)
    Product<kRows / 2, kVectors, false>(v + t * sums, sums, 2, weights, 2 * kWidth, sums / 2, m + t * kWidth, kWidth);
}

/// All frequencies' products of a block with one panel of packed weights; `ahead` gets a turn for each.
template <int kVectors>
SPOTTER_INLINE void BlockProducts(const bf16* v, const BlockLayout& layout, const TileBlock& block, const bf16* panel,
                                  float* m, Prefetch& ahead) {
  constexpr int64_t kWidth = kLanes * kVectors;
  for (int f = 0; f < kFrequencies; ++f) {
    ahead.Turn();
    const int64_t first = block.Begin(f);
    RowProducts<kVectors>(v + f * layout.v_stride + first * layout.sums, layout.sums, block.End(f) - first,
                          panel + f * layout.sums * kWidth, m + f * layout.m_stride + first * kWidth);
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

/// 32 channels of a tile from `first` on, transformed and stored by frequency at v, `stride` apart. `kPart`: fewer than
/// 32 channels are left; what is stored behind them is zero.
template <typename Rows, typename Columns, bool kPart, typename Pixels>
SPOTTER_INLINE void TransformTilePart(const Pixels& pixels, int64_t first, __mmask32 mask, bf16* v, int64_t stride) {
  __m512 even[2 * Rows::kPairs * Columns::kSize];
  __m512 odd[2 * Rows::kPairs * Columns::kSize];
  TransformColumns<Rows, 0, Rows::kPairs, Columns::kSize, kPart>(pixels, first, mask, even, odd);
  StoreRows<Columns, Rows::kPairs, kPart>(even, odd, Interleaved(), v, stride);
}
template <typename Rows, typename Columns, typename Pixels>
static void TransformTileOf(const Pixels& pixels, int64_t channels, bf16* v, int64_t stride) {
  int64_t c = 0;
  for (; c + kChunk <= channels; c += kChunk) TransformTilePart<Rows, Columns, false>(pixels, c, ~0u, v + c, stride);
  if (c < channels) TransformTilePart<Rows, Columns, true>(pixels, c, First32(channels - c), v + c, stride);
}
/// All channels of a tile. Up to 31 values behind its row are overwritten: rows are written in order.
template <typename Pixels>
SPOTTER_INLINE void TransformTile(const Pixels& pixels, TileKind kind, int64_t channels, bf16* v, int64_t stride) {
  WithTransforms(
      kind, [&]<typename Rows, typename Columns>() { TransformTileOf<Rows, Columns>(pixels, channels, v, stride); });
}

}  // namespace spotter::kernels
