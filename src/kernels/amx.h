// SPDX-License-Identifier: Apache-2.0
// AMX: products of tiles, 16 x 32 by 32 x 16 bf16 values into 16 x 16 fp32 sums, in 16 cycles. For *_amx.cc only, which
// are called on processors that CpuHasAmx() says yes to.
//
// A thread has eight tiles, and its instructions name them by numbers in the code: the first ones hold sums, the last
// ones what is multiplied. Rows of A are 32 values side by side; B holds pairs of its rows, [pair][column][2], 1 KiB
// together.
#pragma once

#include "kernels/avx512.h"

namespace spotter::kernels {

constexpr int64_t kTileRows = 16;                       // and columns of B and of the sums
constexpr int64_t kTileSums = 32;                       // that one product adds up
constexpr int64_t kTileValues = kTileRows * kTileSums;  // of an A or a B
constexpr int64_t kTileOutputs = kTileRows * kTileRows;
constexpr int64_t kTileBytes = 64;  // of a row of any tile

/// What LDTILECFG takes: eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};
static constexpr TileConfig kTileConfig = {
    1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

/// While it lives, the thread that made it may use its tiles. Other code that uses tiles (oneDNN) sets them up for each
/// of its calls, so that it must not live across those.
class TileSession {
 public:
  SPOTTER_INLINE_MEMBER TileSession() { _tile_loadconfig(&kTileConfig); }
  SPOTTER_INLINE_MEMBER ~TileSession() { _tile_release(); }
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;
};

/// To be called before tiles are loaded from memory that this thread has written: compilers don't know that they are
/// (GCC's _tile_loadd doesn't say so), and might write later.
SPOTTER_INLINE void BeforeTilesAreLoaded() { asm volatile("" : : : "memory"); }

}  // namespace spotter::kernels
