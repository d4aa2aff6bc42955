// SPDX-License-Identifier: Apache-2.0
// How transformed maps and weights lie in memory between the transforms and the products.
//
// Packed weights: panels of 64 columns, then perhaps one of 32; in a panel [frequency][pair of sums][column][2].
// Columns and sums beyond the last are zero. Sums (channels that are added over) come in the order in which the
// transforms write them: of each whole 32 the even ones, then the odd ones; what is left of 32 in its own order.
#pragma once

#include <cstdint>

#include "kernels/panels.h"

namespace spotter::kernels {

inline int64_t PaddedSums(int64_t sums) { return RoundUp(sums, 2); }

/// The channel at a place.
inline int64_t ChannelAt(int64_t place, int64_t channels) {
  const int64_t chunk = place / 32 * 32;
  if (chunk + 32 > channels) return place;
  const int64_t i = place - chunk;
  return chunk + (i < 16 ? 2 * i : 2 * (i - 16) + 1);
}

}  // namespace spotter::kernels
