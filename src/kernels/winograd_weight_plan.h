// SPDX-License-Identifier: Apache-2.0
// How the weights' gradient cuts its work, and the order in which its transforms leave channels. For *_avx512.cc only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/avx512.h"
#include "kernels/conv_shape.h"
#include "kernels/weight_parts.h"
#include "kernels/winograd_layout.h"
#include "kernels/winograd_tiles.h"

namespace spotter::kernels {

/// How the work is cut: output channels into blocks of `width`, tiles into parts, so that blocks * parts tasks share
/// out among the threads. A task with more sums than the third cache has room for passes over its tiles three times,
/// each for one pair of rows of frequencies.
struct WeightPlan {
  WeightPlan(const ConvShape& shape, int threads) : in(PaddedSums(shape.in)), out(PaddedColumns(shape.out)) {
    const int64_t panels = Panels(out);
    const int64_t panel_bytes = kFrequencies * in * kPanel * int64_t{sizeof(float)};
    constexpr int64_t kSumBytes = 5'000'000;  // of the frequencies of one pass
    passes = panel_bytes <= kSumBytes ? 1 : 3;
    // Inputs are transformed anew for each block: no more of them than the caches or the threads ask for.
    const int64_t fit = std::max<int64_t>(passes * kSumBytes / panel_bytes, 1);
    const int64_t wanted = std::max((panels + fit - 1) / fit, std::min<int64_t>(panels, threads));
    width = std::min((panels + wanted - 1) / wanted * kPanel, out);
    blocks = (out + width - 1) / width;
    frequencies = kFrequencies / passes;
    constexpr int64_t kOperandBytes = 1'500'000;
    tiles = std::clamp<int64_t>(kOperandBytes / (2 * frequencies * (in + width)) / 12 * 12, 24, kMostTiles);
    parts = WeightParts(blocks, ForwardGrid(shape).all() / tiles, threads);  // none without tiles
    v_pair = 2 * in + kChunk;
    v_stride = tiles / 2 * v_pair + 2 * kChunk;
    d_stride = tiles / 2 * 2 * width + 2 * kChunk;
  }
  int64_t in;           // padded
  int64_t out;          // padded
  int64_t passes;       // over all tiles, each for its frequencies
  int64_t frequencies;  // of a pass
  int64_t width;        // of a block of output channels
  int64_t blocks;
  int64_t parts;     // that the tiles are dealt into
  int64_t tiles;     // of a block of tiles
  int64_t v_pair;    // V: [frequency][pair of tiles][channel][2]
  int64_t v_stride;  // between frequencies
  int64_t d_stride;  // D: [frequency][panel][pair of tiles][column][2]
  int64_t tasks() const { return blocks * parts; }
  int64_t sums() const { return kFrequencies * in * width; }  // of one task: [frequency][in][width]
  /// The task that has the sums of a place of D over one part of the tiles.
  int64_t TaskOf(int64_t place, int64_t part) const { return part * blocks + place / width; }
};

/// Channel at a place of V: of each 32 the even ones, then the odd ones, also of a last part.
inline int64_t InputChannel(int64_t place, int64_t channels) {
  const int64_t chunk = place / kChunk * kChunk;
  const int64_t half = std::min<int64_t>(PaddedSums(channels - chunk), kChunk) / 2;
  const int64_t i = place - chunk;
  return chunk + (i < half ? 2 * i : 2 * (i - half) + 1);
}
/// Channel at a place of D.
inline int64_t OutputChannel(int64_t place) {
  const int64_t i = place % kChunk;
  return place - i + (i < 16 ? 2 * i : 2 * (i - 16) + 1);
}

}  // namespace spotter::kernels
