// SPDX-License-Identifier: Apache-2.0
// How the weights' gradient by plain products in AMX's tiles cuts its work.
#pragma once

#include "kernels/direct_layout.h"
#include "kernels/weight_parts.h"

namespace spotter::kernels {

/// Output channels are cut into blocks, whose sums stay in the second cache (2 MiB); pieces of bands are dealt into
/// parts, so that blocks * parts tasks share out among the threads.
struct DirectWeightPlan {
  SPOTTER_INLINE_MEMBER DirectWeightPlan(const ConvShape& s, int threads)
      : in_tiles((s.in + 15) / 16),
        out_tiles((s.out + 15) / 16),
        layout(ForwardLayout(s)),
        pitch(layout.pitch()),
        bands(layout, s.pool ? 2 : 1, s.images,
              std::clamp(layout.out_height * pitch, kLeastPlaces, kMostPlaces) + (kTaps - 1) * pitch, 1) {
    constexpr int64_t kSumBytes = 1'200'000;
    const int64_t column_bytes = kAllTaps * in_tiles * kSumsOfTile * int64_t{sizeof(float)};
    const int64_t fit = std::max<int64_t>(kSumBytes / column_bytes / 2 * 2, 2);
    const int64_t wanted = (out_tiles + fit - 1) / fit;
    block_tiles = std::min(RoundUp((out_tiles + wanted - 1) / wanted, 2), out_tiles);
    blocks = (out_tiles + block_tiles - 1) / block_tiles;
    parts = WeightParts(blocks, bands.pieces(), threads);
    // The zeros below an image are also those above the next one, where the last row that is read is one of them.
    const bool shared = bands.of_image == 1 && s.pad > 0 && layout.out_height + 1 - s.pad >= s.height;
    shared_rows = shared ? s.pad : 0;
    // An odd number of lines of the cache, so that rows share no sets of it.
    turned_stride = (Places(bands.of_piece) / 32 | 1) * 32;
  }
  static constexpr int64_t kLeastPlaces = 288;
  static constexpr int64_t kMostPlaces = 1024;
  static constexpr int64_t kSumsOfTile = 256;
  int64_t in_tiles;   // of 16 channels
  int64_t out_tiles;  // likewise
  DirectLayout layout;
  int64_t pitch;
  DirectBands bands;
  int64_t block_tiles;  // of a block of output channels
  int64_t blocks;
  int64_t parts;
  int64_t shared_rows;
  int64_t turned_stride;  // between output channels of the gradient turned over, in values

  int64_t tasks() const { return blocks * parts; }
  /// From one band to the next.
  int64_t band_rows() const { return bands.rows + kTaps - 1 - shared_rows; }
  /// That so many bands are added up over.
  int64_t Places(int64_t count) const { return RoundUp(count * band_rows() * pitch, 32); }
  /// Pairs of the input, from even places on and as many from odd ones on: taps read behind the last place.
  int64_t Pairs(int64_t places) const { return RoundUp(places + (kTaps - 1) * (pitch + 1), 32) / 2; }
  /// Sums of a task: [tile of the block][tile of input channels][tap][output channel][input channel].
  int64_t sums() const { return block_tiles * in_tiles * kAllTaps * kSumsOfTile; }
  int64_t SumsAt(int64_t out_tile, int64_t in_tile, int64_t tap) const {
    return ((out_tile * in_tiles + in_tile) * kAllTaps + tap) * kSumsOfTile;
  }
  int64_t turned_values() const { return block_tiles * 16 * turned_stride; }
  int64_t pair_values() const { return in_tiles * 2 * Pairs(Places(bands.of_piece)) * 32; }
  int64_t copy_values(const ConvShape& s) const {
    return (2 * Pairs(Places(bands.of_piece)) + 1) * PixelStride(std::max(s.in, std::min(block_tiles * 16, s.out)));
  }
};

}  // namespace spotter::kernels
