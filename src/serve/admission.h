// SPDX-License-Identifier: Apache-2.0
// How many requests may be under way, and how much memory their bodies may take: decided before a body is read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace spotter {

/// Safe from any thread.
class Admission {
 public:
  Admission(size_t most_requests, uint64_t most_bytes) : most_requests_(most_requests), most_bytes_(most_bytes) {}

  /// A place for a request with a body of so many bytes, given back when the last copy of the pointer goes; nullptr
  /// when there is none. The first request gets its place however long it is. Places may outlive the admission's owner.
  std::shared_ptr<void> Enter(uint64_t bytes) const {
    const auto taken = taken_;
    const size_t requests = taken->requests.fetch_add(1);
    const uint64_t all_bytes = taken->bytes.fetch_add(bytes);
    std::shared_ptr<void> place(nullptr, [taken, bytes](void*) {
      taken->bytes.fetch_sub(bytes);
      taken->requests.fetch_sub(1);
    });
    const bool fits = requests < most_requests_ && (all_bytes == 0 || all_bytes + bytes <= most_bytes_);
    return fits ? std::shared_ptr<void>(place, taken.get()) : nullptr;
  }

  size_t requests() const { return taken_->requests; }

 private:
  struct Taken {
    std::atomic<size_t> requests = 0;
    std::atomic<uint64_t> bytes = 0;
  };
  size_t most_requests_;
  uint64_t most_bytes_;
  std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

}  // namespace spotter
