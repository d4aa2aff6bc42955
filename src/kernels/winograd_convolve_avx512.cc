// SPDX-License-Identifier: Apache-2.0
// Convolutions by tiles: the forward pass, and the data gradient, which is one with rotated weights from the output's
// gradient to the input's.
#include <omp.h>

#include <cstring>

#include "kernels/conv_output_avx512.h"
#include "kernels/winograd.h"
#include "kernels/winograd_blocks_avx512.h"

namespace spotter::kernels {
namespace {

enum Slot { kV, kM, kZeros };

/// 16 channels from `channel` on of one tile, whose products begin at m. Frequencies that the tile does not need hold
/// anything.
template <bool kPool>
SPOTTER_INLINE void WriteTile(const ConvOutput& out, const TileGrid& grid, const Tile& tile, const float* m,
                              int64_t m_stride, int64_t channel) {
  constexpr int kWindow = kPool ? 2 : 1;
  constexpr int kOutputs = kTile / kWindow;
  const __mmask16 mask = First16(out.channels - channel);
  const __m512 bias = out.Bias(channel, mask);
  const int64_t height = grid.out_height / kWindow;
  const int64_t width = grid.out_width / kWindow;
  const int64_t top = tile.y * kOutputs;
  const int64_t left = tile.x * kOutputs;
  const int64_t rows = height - top;
  const int64_t columns = width - left;
  const int64_t pixel = (tile.image * height + top) * width + left;
  bf16* to = out.y + pixel * out.channels + channel;
  // The frequency of the point 0, number 4, counts for the first output: it is 0 where the tile has none. Infinity's
  // counts for the fourth alone.
  const TileKind kind = grid.KindOf(tile);
  const auto row4 = static_cast<__mmask16>(kind.short_rows ? 0 : ~0);
  const auto column4 = static_cast<__mmask16>(kind.short_columns ? 0 : ~0);
  __m512 t[kTile * kSide];
#pragma GCC unroll 6
  for (int j = 0; j < kSide; ++j) {
    const auto products = [&](int i) {
      const float* at = m + (kSide * i + j) * m_stride;
      if (i != kZeroPoint && j != kZeroPoint) return _mm512_loadu_ps(at);
      return _mm512_maskz_loadu_ps(i != kZeroPoint ? column4 : j != kZeroPoint ? row4 : row4 & column4, at);
    };
    OutputTransform(products, t + j, kSide);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kOutputs; ++i, to += width * out.channels) {
    if (i >= rows) break;
    __m512 y[kWindow][kTile];
#pragma GCC unroll 2
    for (int k = 0; k < kWindow; ++k) OutputTransform([&](int j) { return t[kSide * (kWindow * i + k) + j]; }, y[k], 1);
#pragma GCC unroll 4
    for (int j = 0; j < kOutputs; ++j) {
      if (j >= columns) break;
      __m512 value = y[0][j];
      if constexpr (kPool) {
        uint16_t column, row;
        value = Largest(y[0] + 2 * j, y[1] + 2 * j, &column, &row);
        out.WritePlaces(pixel + i * width + j, channel, column, row);
      }
      out.Write(to + j * out.channels, mask, value, bias);
    }
  }
}

/// The convolution of a map with packed weights, tile by tile; `zeros` of the map is filled in here.
template <typename Pixels, bool kPool>
void Convolve(MapView map, const TileGrid& grid, const bf16* packed, const ConvOutput& output, Scratch& scratch) {
  if (grid.all() == 0) return;
  const int64_t in = map.channels;
  const int64_t out = output.channels;
  // Of a single image too, each thread gets a part.
  const int64_t share = (grid.all() + scratch.threads() - 1) / scratch.threads();
  const int64_t most = std::min(TilesOfBlock(in), RoundUp(share, kBlockRows<4>));
  const TileBlocks blocks(grid, most);
  const BlockLayout layout(most, in);
  scratch.Reserve(kV, layout.v_bytes());
  scratch.Reserve(kM, layout.m_bytes());
  const size_t zero_bytes = static_cast<size_t>(in + kChunk) * sizeof(bf16);
  scratch.Reserve(kZeros, zero_bytes);
  const int64_t turns = kFrequencies * Panels(out);
  const int64_t at_once = std::clamp<int64_t>(blocks.count() / (32 * scratch.threads()), 1, 4);
#pragma omp parallel num_threads(scratch.threads()) firstprivate(map)
  {
    const int me = omp_get_thread_num();
    bf16* v = scratch.Get<bf16>(me, kV);
    float* m = scratch.Get<float>(me, kM);
    bf16* zeros = scratch.Get<bf16>(me, kZeros);
    std::memset(zeros, 0, zero_bytes);
    map.zeros = zeros;
    TileBlock block;
#pragma omp for schedule(dynamic, at_once)
    for (int64_t index = 0; index < blocks.count(); ++index) {
      blocks.Fill(index, block);
      const int64_t next = index + (at_once > 1 ? 1 : scratch.threads());  // this thread's, probably
      Prefetch ahead;
      if (next < blocks.count())
        ahead = RowsAhead(map, RowsRead(grid, blocks.FirstTile(next), blocks.FirstTile(next + 1) - 1), turns);
      TilePixels<Pixels> pixels(map, grid.pad, block, 0, in);
      for (int64_t t = 0; t < block.count; ++t)
        TransformTile(pixels.At(t), grid.KindOf(block.tiles[t]), in, v + t * layout.sums, layout.v_stride);
      for (int64_t first = 0; first < out; first += kPanel) {
        const int64_t width = PanelWidth(out, first);
        PanelProducts(v, layout, block, packed + first * kFrequencies * layout.sums, width, m, ahead);
        for (int64_t t = 0; t < block.count; ++t) {
          for (int64_t c = 0; c < width && first + c < out; c += kLanes)
            WriteTile<kPool>(output, grid, block.tiles[t], m + t * width + c, layout.m_stride, first + c);
        }
      }
    }
  }
}

}  // namespace

void WinogradForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                     uint32_t* argmax, Scratch& scratch) {
  const ConvOutput output{y, argmax, shape.out, epilogue};
  const auto convolve = shape.pool ? Convolve<MapPixels<kSide>, true> : Convolve<MapPixels<kSide>, false>;
  convolve(InputView(shape, x), ForwardGrid(shape), packed, output, scratch);
}

void WinogradDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                          Scratch& scratch) {
  const ConvOutput output{dx, nullptr, shape.in};
  const auto convolve = !shape.pool          ? Convolve<MapPixels<kSide>, false>
                        : shape.pad % 2 == 0 ? Convolve<PooledPixels<kSide, 0>, false>
                                             : Convolve<PooledPixels<kSide, 1>, false>;
  convolve(GradientView(shape, dy, argmax), BackwardGrid(shape), packed, output, scratch);
}

}  // namespace spotter::kernels
