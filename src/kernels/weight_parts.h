// SPDX-License-Identifier: Apache-2.0
// How many tasks a weights' gradient is cut into.
#pragma once

#include <algorithm>
#include <cstdint>

namespace spotter::kernels {

/// Into how many parts, `most` at most, the work is dealt, with `blocks` tasks a part: those with which the threads are done
/// first, and no more than about four tasks a thread take, since each task has sums of its own.
constexpr int64_t WeightParts(int64_t blocks, int64_t most, int64_t threads) {
  const auto rounds = [&](int64_t parts) { return (blocks * parts + threads - 1) / threads; };
  const int64_t four_each = (4 * threads + blocks - 1) / blocks;
  int64_t best = 1;
  for (int64_t parts = 2; parts <= std::min(most, four_each); ++parts) {
    if (rounds(parts) * best < rounds(best) * parts) best = parts;  // a round takes 1 / parts
  }
  return best;
}

}  // namespace spotter::kernels
