// SPDX-License-Identifier: Apache-2.0
// How many tasks a weights' gradient is cut into.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace spotter::kernels {

/// Into how many parts, `most` at most, the work is dealt, so that `blocks` tasks a part share out among the threads:
/// equally, where that takes about four tasks a thread at most, since each task has sums of its own.
constexpr int64_t WeightParts(int64_t blocks, int64_t most, int64_t threads) {
  const int64_t equal = threads / std::gcd(threads, blocks);
  const int64_t four_each = (4 * threads + blocks - 1) / blocks;
  return std::clamp<int64_t>(std::min(equal, four_each), 1, std::max<int64_t>(most, 1));
}

}  // namespace spotter::kernels
