// SPDX-License-Identifier: Apache-2.0
// Memory that will be read soon, asked for in time: maps come from far away, and loads would wait for them for a third
// of the time and more. For *_avx512.cc and *_amx.cc only.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

namespace spotter::kernels {

/// The one line at p, which need not exist.
inline __attribute__((always_inline)) void PrefetchLine(const void* p) {
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
}

/// A range, in turns.
class Prefetch {
 public:
  Prefetch() = default;
  /// `bytes` from `begin` on, in so many turns.
  Prefetch(const void* begin, int64_t bytes, int64_t turns)
      : next_(static_cast<const char*>(begin)), end_(next_ + bytes), step_((bytes / kLine + turns) / turns * kLine) {}

  inline __attribute__((always_inline)) void Turn() {
    const char* end = std::min(end_, next_ + step_);
    for (; next_ < end; next_ += kLine) _mm_prefetch(next_, _MM_HINT_T1);
  }

 private:
  static constexpr int64_t kLine = 64;
  const char* next_ = nullptr;
  const char* end_ = nullptr;
  int64_t step_ = 0;
};

}  // namespace spotter::kernels
