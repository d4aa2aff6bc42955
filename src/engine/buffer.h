// SPDX-License-Identifier: Apache-2.0
// Memory that grows on demand and is kept.
#pragma once

#include <cstdint>

#include "kernels/memory.h"

namespace spotter {

template <typename T>
class Buffer {
 public:
  /// Room for `count` values, aligned to 64 bytes; what was in it is lost when it grows. Throws std::bad_alloc.
  T* Get(int64_t count) {
    if (count > count_) {
      memory_.reset();
      memory_ = kernels::Allocate(static_cast<size_t>(count) * sizeof(T));
      count_ = count;
    }
    return data();
  }
  T* data() const { return static_cast<T*>(memory_.get()); }

 private:
  kernels::Memory memory_;
  int64_t count_ = 0;
};

}  // namespace spotter
