// SPDX-License-Identifier: Apache-2.0
// Memory that kernels work in, kept from call to call.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/memory.h"

namespace spotter::kernels {

/// A few buffers for each thread, grown on demand and never given back: after the first step of a training nothing is
/// allocated any more. Large ones lie in huge pages. One Scratch serves one call at a time.
class Scratch {
 public:
  explicit Scratch(int threads);
  int threads() const { return threads_; }

  /// Called outside parallel regions: buffer `slot` of every thread holds at least `bytes` afterwards; what it held
  /// is lost when it grows. Throws std::bad_alloc.
  void Reserve(int slot, size_t bytes) { ReserveOf(threads_, slot, bytes); }
  /// Of thread 0 alone, for what all threads share.
  void ReserveShared(int slot, size_t bytes) { ReserveOf(1, slot, bytes); }
  template <typename T>
  T* Get(int thread, int slot) const {
    return static_cast<T*>(buffers_[static_cast<size_t>(thread) * kSlots + static_cast<size_t>(slot)].memory.get());
  }

 private:
  static constexpr size_t kSlots = 4;
  struct Buffer {
    Memory memory;
    size_t bytes = 0;
  };
  void ReserveOf(int threads, int slot, size_t bytes);

  int threads_;
  std::vector<Buffer> buffers_;
};

}  // namespace spotter::kernels
