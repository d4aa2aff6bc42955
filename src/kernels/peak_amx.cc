// SPDX-License-Identifier: Apache-2.0
#include "kernels/amx.h"
#include "kernels/peak.h"

namespace spotter::kernels {

double AmxBurst() {
  constexpr int kTimes = 2000;
  const TileSession session;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  for (int time = 0; time < kTimes; ++time) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  return 2.0 * kTimes * 4 * kTileOutputs * kTileSums;
}

}  // namespace spotter::kernels
