// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

namespace spotter {

int AvailableCores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

void ParallelFor(int64_t n, int threads, const std::function<void(int64_t)>& body) {
  if (threads <= 0) threads = AvailableCores();
  // The items that a thread takes at once: one where there are few (each may be a large file), more to amortise.
  const int64_t chunk = std::clamp<int64_t>(n / (int64_t{threads} * 4), 1, 16);
  threads = static_cast<int>(std::min<int64_t>(threads, (n + chunk - 1) / chunk));

  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr error;
  int64_t error_index = std::numeric_limits<int64_t>::max();
  const auto work = [&] {
    while (!failed) {
      const int64_t begin = next.fetch_add(chunk);
      if (begin >= n) return;
      for (int64_t i = begin; i < std::min(begin + chunk, n); ++i) {
        try {
          body(i);
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (i < error_index) error = std::current_exception(), error_index = i;
          failed = true;
          break;
        }
      }
    }
  };
  std::vector<std::thread> helpers;
  helpers.reserve(static_cast<size_t>(std::max(threads, 1)));
  try {
    for (int t = 1; t < threads; ++t) helpers.emplace_back(work);
  } catch (const std::exception&) {
    // A limit on threads or memory: those that did start, and this one, do the work.
  }
  work();
  for (std::thread& helper : helpers) helper.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace spotter
