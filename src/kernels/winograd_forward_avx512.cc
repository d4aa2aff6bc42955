// SPDX-License-Identifier: Apache-2.0
#include <omp.h>

#include <cstring>
#include <limits>

#include "kernels/winograd.h"
#include "kernels/winograd_blocks_avx512.h"
#include "kernels/winograd_internal.h"

namespace spotter::kernels {
namespace {

enum Slot { kV, kM, kZeros };

/// What happens to the outputs of one panel on their way from M to y.
struct Output {
  const TileGrid& grid;
  int64_t channels;
  bool pool;
  const ConvEpilogue& epilogue;
  bf16* y;
  uint32_t* argmax;
};

SPOTTER_INLINE __m512 Finish(__m512 value, __m512 bias, bool relu) {
  value = _mm512_add_ps(value, bias);
  return relu ? _mm512_max_ps(_mm512_setzero_ps(), value) : value;  // of NaN and 0 the second: NaN
}

/// The largest of a tile's four outputs, NaN where one is; bit c of `column` and `row` says where channel c's is.
SPOTTER_INLINE __m512 Largest(const __m512* y, uint32_t& column, uint32_t& row) {
  const uint32_t upper = _mm512_cmp_ps_mask(y[1], y[0], _CMP_GT_OQ);
  const uint32_t lower = _mm512_cmp_ps_mask(y[3], y[2], _CMP_GT_OQ);
  const __m512 a = _mm512_max_ps(y[1], y[0]);
  const __m512 b = _mm512_max_ps(y[3], y[2]);
  row = _mm512_cmp_ps_mask(b, a, _CMP_GT_OQ);
  column = (upper & ~row) | (lower & row);
  const __mmask16 nan = _mm512_cmp_ps_mask(y[0], y[1], _CMP_UNORD_Q) | _mm512_cmp_ps_mask(y[2], y[3], _CMP_UNORD_Q);
  return _mm512_mask_mov_ps(_mm512_max_ps(b, a), nan, _mm512_set1_ps(std::numeric_limits<float>::quiet_NaN()));
}

/// 32 channels from `channel` on of one tile, whose products begin at m.
SPOTTER_INLINE void WriteTile(const Output& out, const Tile& tile, const float* m, int64_t m_stride, int64_t channel) {
  __m512 low[4];
  __m512 high[4];
  TransformOutput(m, m_stride, low);
  TransformOutput(m + kLanes, m_stride, high);
  const int64_t left = out.channels - channel;
  const __mmask32 mask = First32(left);
  const float* bias = out.epilogue.bias != nullptr ? out.epilogue.bias + channel : nullptr;
  const __m512 low_bias = bias != nullptr ? _mm512_maskz_loadu_ps(First16(left), bias) : _mm512_setzero_ps();
  const __m512 high_bias = bias != nullptr && left > kLanes
                               ? _mm512_maskz_loadu_ps(First16(left - kLanes), bias + kLanes)
                               : _mm512_setzero_ps();
  const bool relu = out.epilogue.relu;
  if (out.pool) {
    const int64_t pixel = (tile.image * out.grid.rows + tile.y) * out.grid.columns + tile.x;
    uint32_t low_column, low_row, high_column, high_row;
    const __m512 a = Largest(low, low_column, low_row);
    const __m512 b = Largest(high, high_column, high_row);
    _mm512_mask_storeu_epi16(out.y + pixel * out.channels + channel, mask,
                             Pack(Finish(a, low_bias, relu), Finish(b, high_bias, relu)));
    if (out.argmax == nullptr) return;
    uint32_t* words = out.argmax + (pixel * ((out.channels + 31) / 32) + channel / 32) * 2;
    words[0] = low_column | high_column << 16;
    words[1] = low_row | high_row << 16;
    return;
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const int64_t row = 2 * tile.y + i / 2;
    const int64_t column = 2 * tile.x + i % 2;
    if (row >= out.grid.out_height || column >= out.grid.out_width) continue;
    bf16* to =
        out.y + ((tile.image * out.grid.out_height + row) * out.grid.out_width + column) * out.channels + channel;
    _mm512_mask_storeu_epi16(to, mask, Pack(Finish(low[i], low_bias, relu), Finish(high[i], high_bias, relu)));
  }
}

}  // namespace

void ConvolveTiles(const TileGrid& grid, int64_t in, int64_t out, bool pool, const bf16* x, const bf16* packed,
                   const ConvEpilogue& epilogue, bf16* y, uint32_t* argmax, Scratch& scratch) {
  // Of a single image too, each thread gets a part.
  const int64_t share = (grid.images * grid.of_image() + scratch.threads() - 1) / scratch.threads();
  const int64_t most = std::min(TilesOfBlock(in), RoundUp(share, kBlockRows<4>));
  const TileBlocks blocks(grid, most);
  const BlockLayout layout(most, in);
  scratch.Reserve(kV, layout.v_bytes());
  scratch.Reserve(kM, layout.m_bytes());
  const size_t zero_bytes = static_cast<size_t>(in + kChunk) * sizeof(bf16);
  scratch.Reserve(kZeros, zero_bytes);
  const int64_t at_once = std::clamp<int64_t>(blocks.count() / (32 * scratch.threads()), 1, 4);
  const Output output{grid, out, pool, epilogue, y, argmax};
#pragma omp parallel num_threads(scratch.threads())
  {
    const int me = omp_get_thread_num();
    bf16* v = scratch.Get<bf16>(me, kV);
    float* m = scratch.Get<float>(me, kM);
    bf16* zeros = scratch.Get<bf16>(me, kZeros);
    std::memset(zeros, 0, zero_bytes);
    TileBlock block;
#pragma omp for schedule(dynamic, at_once)
    for (int64_t index = 0; index < blocks.count(); ++index) {
      blocks.Fill(index, block);
      Prefetch ahead;
      const int64_t next_index = index + (at_once > 1 ? 1 : scratch.threads());  // this thread's, probably
      if (next_index < blocks.count()) {
        const RowRange next = RowsRead(grid, blocks.FirstTile(next_index), blocks.FirstTile(next_index + 1) - 1);
        const int64_t row = grid.width * in;
        ahead = Prefetch(x + next.first * row, (next.last - next.first) * row * int64_t{sizeof(bf16)},
                         16 * ((out + kPanel - 1) / kPanel));
      }
      for (int64_t t = 0; t < block.count; ++t) {
        const bf16* pixels[16];
        FindPixels(grid, in, x, zeros, block.tiles[t], pixels);
        TransformTile(pixels, in, v + t * layout.sums, layout.v_stride);
      }
      for (int64_t first = 0; first < out; first += kPanel) {
        const int64_t width = PanelWidth(out, first);
        PanelProducts(v, layout, block, packed + first * 16 * layout.sums, width, m, ahead);
        for (int64_t t = 0; t < block.count; ++t) {
          for (int64_t c = 0; c < width && first + c < out; c += kChunk)
            WriteTile(output, block.tiles[t], m + t * width + c, layout.m_stride, first + c);
        }
      }
    }
  }
}

void WinogradForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                     uint32_t* argmax, Scratch& scratch) {
  ConvolveTiles(ForwardGrid(shape), shape.in, shape.out, shape.pool, x, packed, epilogue, y, argmax, scratch);
}

}  // namespace spotter::kernels
