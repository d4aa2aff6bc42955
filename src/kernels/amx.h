// SPDX-License-Identifier: Apache-2.0
// AMX: products of tiles, 16 x 32 by 32 x 16 bf16 values into 16 x 16 fp32 sums, in 16 cycles. For *_amx.cc only, which
// are called on processors that CpuHasAmx() says yes to.
//
// A thread has eight tiles, and its instructions name them by numbers in the code: here 0 to 3 hold sums, 4 to 7 what is
// multiplied. Rows of A are 32 values side by side; B holds pairs of its rows, [pair][column][2], 1 KiB together.
#pragma once

#include "kernels/avx512.h"

namespace spotter::kernels {

constexpr int64_t kTileRows = 16;                   // and columns of B and of the sums
constexpr int64_t kTileSums = 32;                   // that one product adds up
constexpr int64_t kTileValues = kTileRows * kTileSums;  // of an A or a B
constexpr int64_t kTileOutputs = kTileRows * kTileRows;
constexpr int64_t kTileBytes = 64;  // of a row of any tile

/// While it lives, the thread that made it may use its tiles. Other code that uses tiles (oneDNN) sets them up for each
/// of its calls, so that it must not live across those.
class TileSession {
 public:
  SPOTTER_INLINE_MEMBER TileSession() {
    struct alignas(64) {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    for (int tile = 0; tile < 8; ++tile) {
      config.row_bytes[tile] = kTileBytes;
      config.rows[tile] = kTileRows;
    }
    _tile_loadconfig(&config);
  }
  SPOTTER_INLINE_MEMBER ~TileSession() { _tile_release(); }
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;
};

}  // namespace spotter::kernels
