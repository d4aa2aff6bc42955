// SPDX-License-Identifier: Apache-2.0
// The weights' gradient: for each tap the product of the outputs' gradient, channels x pixels, with the input, pixels x
// channels. Pixels are those of copies with zeros around (direct_layout.h), of several images one behind the other:
// where a place is no output, its gradient is 0. A tap reads the input some places further on: its pairs of pixels are
// kept from even places on and from odd ones on, so that each tap finds its own.
#include <omp.h>

#include "kernels/direct_conv.h"
#include "kernels/direct_copy_amx.h"
#include "kernels/direct_weight_plan.h"
#include "kernels/prefetch.h"
#include "kernels/tile_pairs_amx.h"

namespace spotter::kernels {
namespace {

enum Slot { kCopy, kTurned, kPairs, kSums };

/// A copy's pixels turned over: (channels, `stride`).
void TurnPixels(const bf16* copy, int64_t places, const ChannelRange& range, int64_t stride, bf16* turned) {
  for (int64_t place = 0; place < places; place += kTileSums) {
    for (int64_t c = 0; c < range.count; c += kTileRows) {
      __m512 pairs[kTileRows];
      LoadPairs(copy + place * range.stride() + c, range.stride(), pairs);
      StoreTurned(pairs, stride, turned + c * stride + place);
    }
  }
}

/// A copy's pixels as pairs: [16 channels][odd][pair][channel][2], those from odd pixels on behind the others.
void PairPixels(const bf16* copy, int64_t pairs, const ChannelRange& range, bf16* to) {
  for (int64_t pair = 0; pair < pairs; pair += kTileRows) {
    for (int64_t tile = 0; tile * kTileRows < range.count; ++tile) {
      for (int64_t odd = 0; odd < 2; ++odd) {
        __m512 values[kTileRows];
        LoadPairs(copy + (2 * pair + odd) * range.stride() + tile * kTileRows, range.stride(), values);
        StorePairs(values, to + ((2 * tile + odd) * pairs + pair) * kTileSums);
      }
    }
  }
}

/// Adds products over `places` to three taps' tiles of sums, of one or two (kRows) tiles of output channels, `next`
/// values apart. Rows of A are `stride` values apart; b: of each tap.
template <int kRows>
void AddProducts(const bf16* a, int64_t stride, const bf16* const* b, int64_t places, float* sums, int64_t next) {
  const int64_t bytes = stride * int64_t{sizeof(bf16)};
  const bf16* second = a + kTileRows * stride;
  BeforeTilesAreLoaded();
  _tile_loadd(0, sums, kTileBytes);
  _tile_loadd(1, sums + kTileOutputs, kTileBytes);
  _tile_loadd(2, sums + 2 * kTileOutputs, kTileBytes);
  if constexpr (kRows > 1) {
    _tile_loadd(3, sums + next, kTileBytes);
    _tile_loadd(4, sums + next + kTileOutputs, kTileBytes);
    _tile_loadd(5, sums + next + 2 * kTileOutputs, kTileBytes);
  }
  // The next call's sums lie behind these; a part of them is asked for with each product.
  const int64_t part = (kTaps * kTileOutputs * kTileSums / places + kLanes) / kLanes * kLanes;
  const float* ahead = sums + kTaps * kTileOutputs;
  for (int64_t k = 0; k < places; k += kTileSums, ahead += part) {
    for (int64_t i = 0; i < part; i += kLanes) {
      PrefetchLine(ahead + i);
      if constexpr (kRows > 1) PrefetchLine(ahead + next + i);
    }
    _tile_loadd(6, a + k, bytes);
    _tile_loadd(7, b[0] + k * kTileRows, kTileBytes);
    _tile_dpbf16ps(0, 6, 7);
    if constexpr (kRows > 1) {
      _tile_loadd(6, second + k, bytes);
      _tile_dpbf16ps(3, 6, 7);
    }
    _tile_loadd(7, b[1] + k * kTileRows, kTileBytes);
    if constexpr (kRows > 1) {
      _tile_dpbf16ps(4, 6, 7);
      _tile_loadd(6, a + k, bytes);
    }
    _tile_dpbf16ps(1, 6, 7);
    _tile_loadd(7, b[2] + k * kTileRows, kTileBytes);
    _tile_dpbf16ps(2, 6, 7);
    if constexpr (kRows > 1) {
      _tile_loadd(6, second + k, bytes);
      _tile_dpbf16ps(5, 6, 7);
    }
  }
  _tile_stored(0, sums, kTileBytes);
  _tile_stored(1, sums + kTileOutputs, kTileBytes);
  _tile_stored(2, sums + 2 * kTileOutputs, kTileBytes);
  if constexpr (kRows > 1) {
    _tile_stored(3, sums + next, kTileBytes);
    _tile_stored(4, sums + next + kTileOutputs, kTileBytes);
    _tile_stored(5, sums + next + 2 * kTileOutputs, kTileBytes);
  }
}

/// What one thread works with.
struct Worker {
  const ConvShape& shape;
  const DirectWeightPlan& plan;
  MapView input;
  MapView gradient;
  bf16* copy;
  bf16* turned;
  bf16* pairs;

  /// The input of bands [first, first + count), as pairs.
  void TakeInput(int64_t first, int64_t count, int64_t places) const {
    const ChannelRange range{0, shape.in};
    const int64_t band_values = plan.band_rows() * plan.pitch * range.stride();
    for (int64_t i = 0; i < count; ++i) {
      const DirectBand band = plan.bands.At(first + i);
      CopyRows(input, band.image, band.row - shape.pad, plan.bands.rows + kTaps - 1, shape.pad, plan.pitch, range,
               copy + i * band_values);
    }
    const int64_t filled = ((count - 1) * plan.band_rows() + plan.bands.rows + kTaps - 1) * plan.pitch;
    const int64_t all = plan.Pairs(places);
    Zero(copy + filled * range.stride(), (2 * all + 1 - filled) * range.stride());
    PairPixels(copy, all, range, pairs);
  }
  /// Of the gradient the channels of a block, turned over.
  void TakeGradient(int64_t first, int64_t count, int64_t places, const ChannelRange& range) const {
    const int64_t band_values = plan.band_rows() * plan.pitch * range.stride();
    for (int64_t i = 0; i < count; ++i) {
      const DirectBand band = plan.bands.At(first + i);
      bf16* to = copy + i * band_values;
      CopyRows(gradient, band.image, band.row, band.rows, 0, plan.pitch, range, to);
      const int64_t values = band.rows * plan.pitch * range.stride();
      Zero(to + values, band_values - values);
    }
    Zero(copy + count * band_values, places * range.stride() - count * band_values);
    TurnPixels(copy, places, range, plan.turned_stride, turned);
  }
  void Add(int64_t places, int64_t out_tiles, float* sums) const {
    const int64_t all = plan.Pairs(places);
    for (int64_t out = 0; out < out_tiles; out += 2) {
      const auto add = out + 1 < out_tiles ? AddProducts<2> : AddProducts<1>;
      for (int64_t in = 0; in < plan.in_tiles; ++in) {
        for (int64_t ky = 0; ky < kTaps; ++ky) {
          const bf16* of_taps[kTaps];
          for (int64_t kx = 0; kx < kTaps; ++kx) {
            const int64_t place = ky * plan.pitch + kx;
            of_taps[kx] = pairs + ((2 * in + place % 2) * all + place / 2) * kTileSums;
          }
          add(turned + out * kTileRows * plan.turned_stride, plan.turned_stride, of_taps, places,
              sums + plan.SumsAt(out, in, ky * kTaps), plan.SumsAt(1, 0, 0));
        }
      }
    }
  }
  /// The pieces part, part + parts, ... of the bands, for one block of output channels.
  void Run(int64_t part, int64_t block, float* sums) const {
    std::memset(sums, 0, static_cast<size_t>(plan.sums()) * sizeof(float));
    const int64_t channel = block * plan.block_tiles * kTileRows;
    const ChannelRange range{channel, std::min(plan.block_tiles * kTileRows, shape.out - channel)};
    for (int64_t piece = part; piece < plan.bands.pieces(); piece += plan.parts) {
      const int64_t first = piece * plan.bands.of_piece;
      const int64_t count = std::min(plan.bands.of_piece, plan.bands.count - first);
      const int64_t places = plan.Places(count);
      TakeInput(first, count, places);
      TakeGradient(first, count, places, range);
      Add(places, (range.count + kTileRows - 1) / kTileRows, sums);
    }
  }
};

/// The weights of 16 output channels and 16 input channels from the parts' sums.
void WriteWeights(const ConvShape& shape, const DirectWeightPlan& plan, const float* all_sums, int64_t out, int64_t in,
                  float* dw) {
  const __mmask16 mask = First16(shape.in - in * kTileRows);
  const float* own = all_sums + out / plan.block_tiles * plan.sums();
  for (int64_t i = 0; i < std::min(kTileRows, shape.out - out * kTileRows); ++i) {
    for (int64_t tap = 0; tap < kAllTaps; ++tap) {
      const float* from = own + plan.SumsAt(out % plan.block_tiles, in, tap) + i * kTileRows;
      __m512 sum = _mm512_loadu_ps(from);
      for (int64_t part = 1; part < plan.parts; ++part)
        sum = _mm512_add_ps(sum, _mm512_loadu_ps(from + part * plan.blocks * plan.sums()));
      float* to = dw + ((out * kTileRows + i) * kAllTaps + tap) * shape.in + in * kTileRows;
      _mm512_mask_storeu_ps(to, mask, sum);
    }
  }
}

}  // namespace

void DirectWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const uint32_t* argmax, float* dw,
                          Scratch& scratch) {
  const DirectWeightPlan plan(shape, scratch.threads());
  scratch.Reserve(kCopy, static_cast<size_t>(plan.copy_values(shape)) * sizeof(bf16));
  scratch.Reserve(kTurned, static_cast<size_t>(plan.turned_values()) * sizeof(bf16));
  scratch.Reserve(kPairs, static_cast<size_t>(plan.pair_values()) * sizeof(bf16));
  scratch.ReserveShared(kSums, static_cast<size_t>(plan.tasks() * plan.sums()) * sizeof(float));
  float* all_sums = scratch.Get<float>(0, kSums);
#pragma omp parallel num_threads(scratch.threads())
  {
    const TileSession session;
    const int me = omp_get_thread_num();
    const Worker worker{shape,
                        plan,
                        InputView(shape, x),
                        GradientView(shape, dy, argmax),
                        scratch.Get<bf16>(me, kCopy),
                        scratch.Get<bf16>(me, kTurned),
                        scratch.Get<bf16>(me, kPairs)};
#pragma omp for schedule(static)
    for (int64_t task = 0; task < plan.tasks(); ++task)
      worker.Run(task / plan.blocks, task % plan.blocks, all_sums + task * plan.sums());
#pragma omp for schedule(static) collapse(2)
    for (int64_t out = 0; out < plan.out_tiles; ++out) {
      for (int64_t in = 0; in < plan.in_tiles; ++in) WriteWeights(shape, plan, all_sums, out, in, dw);
    }
  }
}

}  // namespace spotter::kernels
