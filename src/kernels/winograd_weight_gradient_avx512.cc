// SPDX-License-Identifier: Apache-2.0
// The weights' gradient, F(3x3, 2x2): for each frequency the product of the transformed input, tiles x in, with the
// transformed output gradient, tiles x out, summed over all tiles.
//
// Products take pairs of sums, here two tiles: pairs of tiles are interleaved on the way. Sums of all frequencies of a
// large layer exceed the cache, so that such layers are passed over once for each row of four frequencies; passes, and
// where there are more threads than passes also parts of the tiles, are shared out among the threads.
#include <omp.h>

#include <cstring>

#include "kernels/winograd.h"
#include "kernels/winograd_blocks_avx512.h"
#include "kernels/winograd_internal.h"
#include "kernels/winograd_pairs_avx512.h"
#include "kernels/winograd_weight_plan.h"

namespace spotter::kernels {
namespace {

enum Slot { kV, kD, kSums, kZeros };

/// One task: the frequencies of some rows, over the blocks part, part + parts, ...
struct Task {
  const ConvShape& shape;
  const TileGrid& grid;
  const TileBlocks& blocks;
  const WeightPlan& plan;
  const bf16* x;
  const bf16* dy;
  const uint32_t* argmax;
  const bf16* zeros;
  bf16* v;
  bf16* d;
};

template <int kFirst, int kRows>
void TransformInputs(const Task& t, const TileBlock& block) {
  const __m512i order = Interleaved();
  for (int64_t i = 0; i < block.count; i += 2) {
    const bf16* pixels[2][16];
    FindPixels(t.grid, t.shape.in, t.x, t.zeros, block.tiles[i], pixels[0]);
    if (i + 1 < block.count) {
      FindPixels(t.grid, t.shape.in, t.x, t.zeros, block.tiles[i + 1], pixels[1]);
    } else {
      std::fill_n(pixels[1], 16, t.zeros);
    }
    bf16* v = t.v + i / 2 * t.plan.v_pair;
    for (int64_t c = 0; c < t.shape.in; c += kChunk) {
      const __mmask32 mask = First32(t.shape.in - c);
      bf16* to = v + 2 * c;
      if (t.shape.in - c >= kChunk) {
        InputPair<kFirst, kRows, false, false>(pixels, c, mask, order, to, t.plan.v_stride);
        InputPair<kFirst, kRows, true, false>(pixels, c, mask, order, to + kChunk, t.plan.v_stride);
      } else {
        const int64_t odd = PaddedSums(t.shape.in - c);
        InputPair<kFirst, kRows, false, true>(pixels, c, mask, order, to, t.plan.v_stride);
        InputPair<kFirst, kRows, true, true>(pixels, c, mask, order, to + odd, t.plan.v_stride);
      }
    }
  }
}

/// Where 32 columns from `channel` on of a pair of tiles go in D.
SPOTTER_INLINE bf16* Place(const Task& t, int64_t pair, int64_t channel) {
  const int64_t panel = channel / kPanel * kPanel;
  return t.d + panel * t.plan.tiles + pair * 2 * PanelWidth(t.shape.out, panel) + (channel - panel) * 2;
}

template <int kFirst, int kRows>
void TransformGradients(const Task& t, const TileBlock& block) {
  const __m512i order = Interleaved();
  for (int64_t i = 0; i < block.count; i += 2) {
    const bf16* pixels[2][4];
    for (int64_t h = 0; h < 2; ++h) {
      for (int64_t p = 0; p < 4; ++p) {
        const Tile& tile = block.tiles[i + h < block.count ? i + h : i];
        const int64_t row = 2 * tile.y + p / 2;
        const int64_t column = 2 * tile.x + p % 2;
        const bool inside = i + h < block.count && row < t.grid.out_height && column < t.grid.out_width;
        pixels[h][p] = inside
                           ? t.dy + ((tile.image * t.grid.out_height + row) * t.grid.out_width + column) * t.shape.out
                           : t.zeros;
      }
    }
    for (int64_t c = 0; c < t.shape.out; c += kChunk) {
      const __mmask32 mask = First32(t.shape.out - c);
      bf16* to = Place(t, i / 2, c);
      if (t.shape.out - c >= kChunk) {
        GradientPair<kFirst, kRows, false, false>(pixels, c, mask, order, to, t.plan.d_stride);
        GradientPair<kFirst, kRows, true, false>(pixels, c, mask, order, to + kChunk, t.plan.d_stride);
      } else {
        GradientPair<kFirst, kRows, false, true>(pixels, c, mask, order, to, t.plan.d_stride);
        GradientPair<kFirst, kRows, true, true>(pixels, c, mask, order, to + kChunk, t.plan.d_stride);
      }
    }
  }
}

template <int kFirst, int kRows>
void TransformPooledGradients(const Task& t, const TileBlock& block) {
  const int64_t words = (t.shape.out + 31) / 32 * 2;
  for (int64_t i = 0; i < block.count; i += 2) {
    int64_t pixel[2];
    for (int64_t h = 0; h < 2; ++h) {
      const Tile& tile = block.tiles[i + h < block.count ? i + h : i];
      pixel[h] = (tile.image * t.grid.rows + tile.y) * t.grid.columns + tile.x;
    }
    for (int64_t c = 0; c < t.shape.out; c += kChunk) {
      const __mmask32 mask = First32(t.shape.out - c);
      __m512i a[16];
      __m512i b[16];
      const uint32_t* word = t.argmax + pixel[0] * words + c / 16;
      TransformPooledGradient(_mm512_maskz_loadu_epi16(mask, t.dy + pixel[0] * t.shape.out + c), word[0], word[1], a);
      word = t.argmax + pixel[1] * words + c / 16;
      TransformPooledGradient(
          _mm512_maskz_loadu_epi16(i + 1 < block.count ? mask : 0u, t.dy + pixel[1] * t.shape.out + c), word[0],
          word[1], b);
      bf16* d = Place(t, i / 2, c);
#pragma GCC unroll 16
      for (int f = 0; f < 4 * kRows; ++f) {
        _mm512_storeu_si512(d + f * t.plan.d_stride, _mm512_unpacklo_epi16(a[4 * kFirst + f], b[4 * kFirst + f]));
        _mm512_storeu_si512(d + f * t.plan.d_stride + kChunk,
                            _mm512_unpackhi_epi16(a[4 * kFirst + f], b[4 * kFirst + f]));
      }
    }
  }
}

template <int kVectors>
void AddProducts(const WeightPlan& plan, const bf16* v, const bf16* d, int64_t pairs, float* sums) {
  constexpr int kRows = kBlockRows<kVectors>;
  constexpr int64_t kStride = 2 * kLanes * kVectors;
  int64_t r = 0;
  for (; r + kRows <= plan.in; r += kRows)
    Product<kRows, kVectors, true>(v + 2 * r, 2, plan.v_pair, d, kStride, pairs, sums + r * plan.out, plan.out);
  for (; r + 4 <= plan.in; r += 4)
    Product<4, kVectors, true>(v + 2 * r, 2, plan.v_pair, d, kStride, pairs, sums + r * plan.out, plan.out);
  for (; r < plan.in; r += 2)
    Product<2, kVectors, true>(v + 2 * r, 2, plan.v_pair, d, kStride, pairs, sums + r * plan.out, plan.out);
}

/// What a block reads of the input and of the output's gradient.
struct BlockPrefetch {
  BlockPrefetch(const Task& t, int64_t index, int64_t turns) {
    if (index >= t.blocks.count()) return;
    const int64_t first = t.blocks.FirstTile(index);
    const int64_t last = t.blocks.FirstTile(index + 1) - 1;
    const RowRange read = RowsRead(t.grid, first, last);
    const int64_t row = t.grid.width * t.shape.in;
    input = Prefetch(t.x + read.first * row, (read.last - read.first) * row * kBytes, turns);
    if (t.shape.pool) {
      gradient = Prefetch(t.dy + first * t.shape.out, (last + 1 - first) * t.shape.out * kBytes, turns);
    } else {
      const RowRange rows = RowsWritten(t.grid, first, last);
      const int64_t out_row = t.grid.out_width * t.shape.out;
      gradient = Prefetch(t.dy + rows.first * out_row, (rows.last - rows.first) * out_row * kBytes, turns);
    }
  }
  static constexpr int64_t kBytes = sizeof(bf16);
  Prefetch input, gradient;
};

template <int kFirst, int kRows>
void Run(const Task& t, int64_t part, float* sums) {
  const WeightPlan& plan = t.plan;
  std::memset(sums, 0, static_cast<size_t>(4 * kRows * plan.in * plan.out) * sizeof(float));
  TileBlock block;
  for (int64_t index = part; index < t.blocks.count(); index += plan.parts) {
    t.blocks.Fill(index, block);
    TransformInputs<kFirst, kRows>(t, block);
    if (t.shape.pool) {
      TransformPooledGradients<kFirst, kRows>(t, block);
    } else {
      TransformGradients<kFirst, kRows>(t, block);
    }
    BlockPrefetch ahead(t, index + plan.parts, 4 * kRows * ((plan.out + kPanel - 1) / kPanel));
    for (int f = 0; f < 4 * kRows; ++f) {
      // Only pairs of which a tile needs this frequency; the gradients of the others are zero there.
      const int64_t first = block.Begin(4 * kFirst + f) / 2;
      const int64_t pairs = (block.End(4 * kFirst + f) + 1) / 2 - first;
      const bf16* v = t.v + f * plan.v_stride + first * plan.v_pair;
      for (int64_t c = 0; c < plan.out; c += kPanel) {
        ahead.input.Turn();
        ahead.gradient.Turn();
        const int64_t width = PanelWidth(t.shape.out, c);
        const bf16* d = t.d + f * plan.d_stride + c * plan.tiles + first * 2 * width;
        float* to = sums + f * plan.in * plan.out + c;
        if (width == kPanel) {
          AddProducts<4>(plan, v, d, pairs, to);
        } else {
          AddProducts<2>(plan, v, d, pairs, to);
        }
      }
    }
  }
}

/// From the parts' sums to the weights: 16 output channels by 32 input channels at a time, gathered in a small table
/// first, since the weights of neighbouring output channels lie at distances that share few sets of the cache.
void WriteWeights(const ConvShape& shape, const WeightPlan& plan, const float* sums, int64_t place, int64_t chunk,
                  float* dw) {
  alignas(64) float table[kLanes * 9 * kChunk];  // [output channel][tap][input channel]
  const __m512i lanes = Multiples(9 * kChunk);
  const int64_t rows = std::min(kChunk, plan.in - chunk);
  for (int64_t row = chunk; row < chunk + rows; ++row) {
    __m512 u[16];
    for (int f = 0; f < 16; ++f) {
      const float* from = sums + (f * plan.in + row) * plan.out + place;
      u[f] = _mm512_loadu_ps(from);
      for (int64_t part = 1; part < plan.parts; ++part)
        u[f] = _mm512_add_ps(u[f], _mm512_loadu_ps(from + part * plan.sums()));
    }
    __m512 g[9];
    TransposedWeights(u, g);
    float* column = table + InputChannel(row, shape.in) - chunk;
    for (int64_t tap = 0; tap < 9; ++tap) _mm512_i32scatter_ps(column + tap * kChunk, lanes, g[tap], 4);
  }
  const int64_t channels = std::min(kChunk, shape.in - chunk);
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    const int64_t channel = OutputChannel(place + lane, shape.pool);
    if (channel >= shape.out) continue;
    for (int64_t tap = 0; tap < 9; ++tap)
      std::copy_n(table + (lane * 9 + tap) * kChunk, channels, dw + (channel * 9 + tap) * shape.in + chunk);
  }
}

}  // namespace

void WinogradWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const uint32_t* argmax, float* dw,
                            Scratch& scratch) {
  const TileGrid grid = ForwardGrid(shape);
  const WeightPlan plan(shape, scratch.threads());
  const TileBlocks blocks(grid, plan.tiles);
  scratch.Reserve(kV, static_cast<size_t>(plan.frequencies * plan.v_stride) * sizeof(bf16));
  scratch.Reserve(kD, static_cast<size_t>(plan.frequencies * plan.d_stride) * sizeof(bf16));
  scratch.ReserveShared(kSums, static_cast<size_t>(plan.parts * plan.sums()) * sizeof(float));
  const size_t zero_bytes = static_cast<size_t>(std::max(shape.in, shape.out) + kChunk) * sizeof(bf16);
  scratch.Reserve(kZeros, zero_bytes);
  float* all_sums = scratch.Get<float>(0, kSums);
#pragma omp parallel num_threads(scratch.threads())
  {
    const int me = omp_get_thread_num();
    bf16* zeros = scratch.Get<bf16>(me, kZeros);
    std::memset(zeros, 0, zero_bytes);
    const Task task{
        shape, grid, blocks, plan, x, dy, argmax, zeros, scratch.Get<bf16>(me, kV), scratch.Get<bf16>(me, kD)};
#pragma omp for schedule(static)
    for (int64_t number = 0; number < plan.passes * plan.parts; ++number) {
      const int64_t part = number % plan.parts;
      float* sums = all_sums + part * plan.sums();
      if (plan.passes == 1) {
        Run<0, 4>(task, part, sums);
        continue;
      }
      const int64_t row = number / plan.parts;
      sums += row * 4 * plan.in * plan.out;
      if (row == 0) Run<0, 1>(task, part, sums);
      if (row == 1) Run<1, 1>(task, part, sums);
      if (row == 2) Run<2, 1>(task, part, sums);
      if (row == 3) Run<3, 1>(task, part, sums);
    }
#pragma omp for schedule(static) collapse(2)
    for (int64_t place = 0; place < plan.out; place += kLanes) {
      for (int64_t chunk = 0; chunk < plan.in; chunk += kChunk) WriteWeights(shape, plan, all_sums, place, chunk, dw);
    }
  }
}

}  // namespace spotter::kernels
