// SPDX-License-Identifier: Apache-2.0
// How a worker that works is told from one that hangs.
#pragma once

#include <atomic>

#include "serve/job.h"

namespace spotter {

/// Of one worker. Safe from any thread.
class Pulse {
 public:
  /// A piece of work begins: a request to read, an image to decode, a batch to compute.
  void Beat() { since_ = ServiceClock::now().time_since_epoch().count(); }
  /// There is nothing to do.
  void Rest() { since_ = 0; }
  /// Whether the piece of work that began last has taken longer than this so far.
  bool Silent(ServiceClock::duration patience) const {
    const auto since = since_.load();
    return since != 0 && ServiceClock::now().time_since_epoch().count() - since > patience.count();
  }

 private:
  std::atomic<ServiceClock::rep> since_ = 0;
};

}  // namespace spotter
