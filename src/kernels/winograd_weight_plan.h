// SPDX-License-Identifier: Apache-2.0
// How the weights' gradient cuts its work, and the order in which its transforms leave channels. For *_avx512.cc only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "kernels/avx512.h"
#include "kernels/conv_shape.h"
#include "kernels/winograd_layout.h"
#include "kernels/winograd_tiles.h"

namespace spotter::kernels {

/// How the work is cut.
struct WeightPlan {
  WeightPlan(const ConvShape& shape, int threads) {
    in = PaddedSums(shape.in);
    out = PaddedColumns(shape.out);
    constexpr int64_t kSumsInCache = 16384;  // fp32 sums of 16 frequencies: 1 MiB
    passes = in * out <= kSumsInCache ? 1 : 4;
    frequencies = 16 / passes;
    parts = threads / std::gcd(threads, static_cast<int>(passes));
    constexpr int64_t kOperandBytes = 850'000;
    tiles = std::clamp<int64_t>(kOperandBytes / (2 * frequencies * (in + out)) / 12 * 12, 24, kMostTiles);
    v_pair = 2 * in + kChunk;
    v_stride = tiles / 2 * v_pair + 2 * kChunk;
    d_stride = tiles / 2 * 2 * out + 2 * kChunk;
  }
  int64_t in;  // padded
  int64_t out;
  int64_t passes;       // over all tiles, each for its frequencies
  int64_t frequencies;  // of a pass
  int64_t parts;        // that the tiles are dealt into
  int64_t tiles;        // of a block
  int64_t v_pair;       // V: [frequency][pair of tiles][channel][2]
  int64_t v_stride;
  int64_t d_stride;                               // D: [frequency][panel][pair of tiles][column][2]
  int64_t sums() const { return 16 * in * out; }  // of one part: [frequency][in][out]
};

/// Channel at a place of V: of each 32 the even ones, then the odd ones, also of a last part.
inline int64_t InputChannel(int64_t place, int64_t channels) {
  const int64_t chunk = place / kChunk * kChunk;
  const int64_t half = std::min<int64_t>(PaddedSums(channels - chunk), kChunk) / 2;
  const int64_t i = place - chunk;
  return chunk + (i < half ? 2 * i : 2 * (i - half) + 1);
}
/// Channel at a place of D.
inline int64_t OutputChannel(int64_t place, bool pool) {
  const int64_t i = place % kChunk;
  const int64_t chunk = place - i;
  if (!pool) return chunk + (i < 16 ? 2 * i : 2 * (i - 16) + 1);
  return chunk + (i % 16) / 4 * 8 + i % 4 + (i < 16 ? 0 : 4);  // as unpacking 128-bit lanes leaves them
}

}  // namespace spotter::kernels
