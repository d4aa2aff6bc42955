// SPDX-License-Identifier: Apache-2.0
// The weights' gradient: for each frequency the product of the transformed input, tiles x in, with the transformed
// gradient of the outputs, tiles x out, summed over all tiles.
//
// Products take pairs of sums, here two tiles: pairs of tiles are interleaved on the way.
#include <omp.h>

#include <cstring>

#include "kernels/prefetch.h"
#include "kernels/winograd.h"
#include "kernels/winograd_maps_avx512.h"
#include "kernels/winograd_weight_plan.h"

namespace spotter::kernels {
namespace {

enum Slot { kV, kD, kSums, kZeros };

/// One task: the output channels from `first` to `last`, over the blocks part, part + parts, ... of tiles.
struct Task {
  const ConvShape& shape;
  const TileGrid& grid;
  const TileBlocks& blocks;
  const WeightPlan& plan;
  MapView input;
  MapView gradient;
  bf16* v;
  bf16* d;
  int64_t part = 0;
  int64_t first = 0;
  int64_t last = 0;
};

/// 32 channels, or those that are left (kPart), of the tiles a and b: the even ones go to `to`, the odd ones so many
/// values behind.
template <typename Rows, typename Columns, int kFirst, int kPairs, bool kPart, typename Pixels>
SPOTTER_INLINE void TransformPair(const Pixels& a, const Pixels& b, int64_t channel, int64_t channels, int64_t odd_at,
                                  __m512i order, bf16* to, int64_t stride) {
  constexpr int kColumns = Columns::kSize;
  __m512 even[2][2 * kPairs * kColumns];
  __m512 odd[2][2 * kPairs * kColumns];
  TransformColumns<Rows, kFirst, kPairs, kColumns, kPart>(a, channel, First32(channels), even[0], odd[0]);
  TransformColumns<Rows, kFirst, kPairs, kColumns, kPart>(b, channel, First32(channels), even[1], odd[1]);
  StoreRows<Columns, kPairs, true>(even[0], even[1], order, to, stride);
  StoreRows<Columns, kPairs, true>(odd[0], odd[1], order, to + odd_at, stride);
}

template <typename Rows, typename Columns, int kFirst, int kPairs>
void TransformInputPair(const Task& t, const MapPixels<kSide>& a, const MapPixels<kSide>& b, bf16* v) {
  if constexpr (kFirst < Rows::kPairs) {
    constexpr int kOwn = std::min(kPairs, Rows::kPairs - kFirst);
    const __m512i order = Interleaved();
    int64_t c = 0;
    for (; c + kChunk <= t.shape.in; c += kChunk)
      TransformPair<Rows, Columns, kFirst, kOwn, false>(a, b, c, kChunk, kChunk, order, v + 2 * c, t.plan.v_stride);
    const int64_t left = t.shape.in - c;
    if (left > 0)
      TransformPair<Rows, Columns, kFirst, kOwn, true>(a, b, c, left, PaddedSums(left), order, v + 2 * c,
                                                       t.plan.v_stride);
  }
}

/// A pair of tiles has the short transforms only where they are for both: where one of them needs a frequency, the pair
/// enters its product (Run), and the whole transforms are right for the other one as well.
template <int kFirst, int kPairs>
void TransformInputs(const Task& t, const TileBlock& block) {
  TilePixels<MapPixels<kSide>> pixels(t.input, t.grid.pad, block, 0, t.shape.in);
  for (int64_t i = 0; i < block.count; i += 2) {
    const auto& a = pixels.At(i);
    const auto& b = pixels.At(i + 1);
    const TileKind first = t.grid.KindOf(block.tiles[i]);
    const TileKind second = t.grid.KindOf(block.tiles[std::min(i + 1, block.count - 1)]);
    const TileKind both = {block.frequency_rows == kShort && first.short_rows && second.short_rows,
                           block.frequency_columns == kShort && first.short_columns && second.short_columns};
    WithTransforms(both, [&]<typename Rows, typename Columns>() {
      TransformInputPair<Rows, Columns, kFirst, kPairs>(t, a, b, t.v + i / 2 * t.plan.v_pair);
    });
  }
}

/// Where 32 columns from `channel` on of a pair of tiles go in D.
SPOTTER_INLINE bf16* Place(const Task& t, int64_t pair, int64_t channel) {
  const int64_t panel = channel / kPanel * kPanel;
  return t.d + (panel - t.first) * t.plan.tiles + pair * 2 * PanelWidth(t.shape.out, panel) + (channel - panel) * 2;
}

template <int kFirst, int kPairs, typename Pixels>
void TransformGradients(const Task& t, const TileBlock& block) {
  const __m512i order = Interleaved();
  TilePixels<Pixels> pixels(t.gradient, 0, block, t.first, t.last);
  for (int64_t i = 0; i < block.count; i += 2) {
    const auto& a = pixels.At(i);
    const auto& b = pixels.At(i + 1);
    int64_t c = t.first;
    for (; c + kChunk <= t.last; c += kChunk)
      TransformPair<OfGradient, OfGradient, kFirst, kPairs, false>(a, b, c, kChunk, kChunk, order, Place(t, i / 2, c),
                                                                   t.plan.d_stride);
    if (c < t.last)
      TransformPair<OfGradient, OfGradient, kFirst, kPairs, true>(a, b, c, t.last - c, kChunk, order,
                                                                  Place(t, i / 2, c), t.plan.d_stride);
  }
}

/// Rows of sums from r on; the next rows' are asked for.
template <int kRows, int kVectors, bool kAccumulate>
SPOTTER_INLINE void AddRows(const WeightPlan& plan, const bf16* v, const bf16* d, int64_t pairs, float* sums,
                            int64_t r) {
  if constexpr (kAccumulate) {
    for (int i = kRows; i < 2 * kRows; ++i) {
      for (int c = 0; c < kVectors; ++c) PrefetchLine(sums + (r + i) * plan.width + kLanes * c);
    }
  }
  Product<kRows, kVectors, kAccumulate>(v + 2 * r, 2, plan.v_pair, d, 2 * kLanes * kVectors, pairs,
                                        sums + r * plan.width, plan.width);
}
template <int kVectors, bool kAccumulate>
void AddProducts(const WeightPlan& plan, const bf16* v, const bf16* d, int64_t pairs, float* sums) {
  constexpr int kRows = kBlockRows<kVectors>;
  int64_t r = 0;
  for (; r + kRows <= plan.in; r += kRows) AddRows<kRows, kVectors, kAccumulate>(plan, v, d, pairs, sums, r);
  for (; r + 4 <= plan.in; r += 4) AddRows<4, kVectors, kAccumulate>(plan, v, d, pairs, sums, r);
  for (; r < plan.in; r += 2) AddRows<2, kVectors, kAccumulate>(plan, v, d, pairs, sums, r);
}

template <int kFirst, int kPairs>
void Run(const Task& t, float* sums) {
  const WeightPlan& plan = t.plan;
  constexpr int kCount = 2 * kPairs * kSide;
  if (t.blocks.count() == 0)  // no images
    std::memset(sums, 0, static_cast<size_t>(kCount * plan.in * plan.width) * sizeof(float));
  const int64_t turns = kCount * Panels(plan.width);
  TileBlock block;
  for (int64_t index = t.part; index < t.blocks.count(); index += plan.parts) {
    t.blocks.Fill(index, block);
    TransformInputs<kFirst, kPairs>(t, block);
    if (t.shape.pool) {
      TransformGradients<kFirst, kPairs, PooledPixels<kTile, 0>>(t, block);
    } else {
      TransformGradients<kFirst, kPairs, MapPixels<kTile>>(t, block);
    }
    Prefetch input, gradient;
    if (const int64_t next = index + plan.parts; next < t.blocks.count()) {
      const int64_t first = t.blocks.FirstTile(next);
      const int64_t last = t.blocks.FirstTile(next + 1) - 1;
      input = RowsAhead(t.input, RowsRead(t.grid, first, last), turns);
      gradient = RowsAhead(t.gradient, RowsWritten(t.grid, first, last), turns);
    }
    const auto add4 = index == t.part ? AddProducts<4, false> : AddProducts<4, true>;
    const auto add2 = index == t.part ? AddProducts<2, false> : AddProducts<2, true>;
    for (int f = 0; f < kCount; ++f) {
      // Only pairs of which a tile needs this frequency; what the other one adds is right, too (TransformInputs).
      const int64_t begin = block.Begin(2 * kSide * kFirst + f);
      const int64_t end = block.End(2 * kSide * kFirst + f);
      const int64_t first = begin / 2;
      const int64_t pairs = begin < end ? (end + 1) / 2 - first : 0;
      const bf16* v = t.v + f * plan.v_stride + first * plan.v_pair;
      for (int64_t c = t.first; c < t.last; c += kPanel) {
        input.Turn();
        gradient.Turn();
        const int64_t width = PanelWidth(t.shape.out, c);
        const bf16* d = t.d + f * plan.d_stride + (c - t.first) * plan.tiles + first * 2 * width;
        float* to = sums + (f * plan.in) * plan.width + c - t.first;
        if (width == kPanel) {
          add4(plan, v, d, pairs, to);
        } else {
          add2(plan, v, d, pairs, to);
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
    __m512 u[kFrequencies];
    for (int f = 0; f < kFrequencies; ++f) {
      const float* from = sums + (f * plan.in + row) * plan.width + place % plan.width;
      u[f] = _mm512_loadu_ps(from + plan.TaskOf(place, 0) * plan.sums());
      for (int64_t part = 1; part < plan.parts; ++part)
        u[f] = _mm512_add_ps(u[f], _mm512_loadu_ps(from + plan.TaskOf(place, part) * plan.sums()));
    }
    __m512 g[9];
    TransposedWeights(u, g);
    float* column = table + InputChannel(row, shape.in) - chunk;
    for (int64_t tap = 0; tap < 9; ++tap) _mm512_i32scatter_ps(column + tap * kChunk, lanes, g[tap], 4);
  }
  const int64_t channels = std::min(kChunk, shape.in - chunk);
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    const int64_t channel = OutputChannel(place + lane);
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
  scratch.ReserveShared(kSums, static_cast<size_t>(plan.tasks() * plan.sums()) * sizeof(float));
  const size_t zero_bytes = static_cast<size_t>(std::max(shape.in, shape.out) + kChunk) * sizeof(bf16);
  scratch.Reserve(kZeros, zero_bytes);
  float* all_sums = scratch.Get<float>(0, kSums);
#pragma omp parallel num_threads(scratch.threads())
  {
    const int me = omp_get_thread_num();
    bf16* zeros = scratch.Get<bf16>(me, kZeros);
    std::memset(zeros, 0, zero_bytes);
    Task task{shape,
              grid,
              blocks,
              plan,
              InputView(shape, x),
              GradientView(shape, dy, argmax),
              scratch.Get<bf16>(me, kV),
              scratch.Get<bf16>(me, kD)};
    task.input.zeros = zeros;
    task.gradient.zeros = zeros;
#pragma omp for schedule(static)
    for (int64_t number = 0; number < plan.tasks(); ++number) {
      task.part = number / plan.blocks;
      task.first = number % plan.blocks * plan.width;
      task.last = std::min(task.first + plan.width, shape.out);
      float* sums = all_sums + number * plan.sums();
      if (plan.passes == 1) {
        Run<0, 3>(task, sums);
        continue;
      }
      Run<0, 1>(task, sums);
      Run<1, 1>(task, sums + plan.sums() / 3);
      Run<2, 1>(task, sums + plan.sums() / 3 * 2);
    }
#pragma omp for schedule(static) collapse(2)
    for (int64_t place = 0; place < plan.out; place += kLanes) {
      for (int64_t chunk = 0; chunk < plan.in; chunk += kChunk) WriteWeights(shape, plan, all_sums, place, chunk, dw);
    }
  }
}

}  // namespace spotter::kernels
