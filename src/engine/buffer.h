// SPDX-License-Identifier: Apache-2.0
// Memory that grows on demand and is kept.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace spotter {

template <typename T>
class Buffer {
 public:
  /// Room for `count` values, aligned to 64 bytes; what was in it is lost when it grows. Throws std::bad_alloc.
  T* Get(int64_t count) {
    const auto wanted = static_cast<size_t>(count);
    if (wanted > count_) {
      constexpr size_t kAlignment = 64;
      memory_.reset();
      const size_t bytes = (wanted * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
      memory_.reset(static_cast<T*>(std::aligned_alloc(kAlignment, bytes)));
      if (!memory_) throw std::bad_alloc();
      count_ = wanted;
    }
    return memory_.get();
  }
  T* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> memory_;
  size_t count_ = 0;
};

}  // namespace spotter
