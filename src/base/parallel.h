// SPDX-License-Identifier: Apache-2.0
// A loop over independent items on several threads, for work that is not a tensor operation.
#pragma once

#include <cstdint>
#include <functional>

namespace spotter {

/// Calls body(i) for each i in [0, n), on up to `threads` threads (0: one a core; fewer where the system gives fewer),
/// in no particular order; returns when all are done. If calls throw, the exception of the lowest such i seen is
/// rethrown after all threads have stopped.
void ParallelFor(int64_t n, int threads, const std::function<void(int64_t)>& body);

/// The cores that this process may use (its affinity mask), at least 1.
int AvailableCores();

}  // namespace spotter
