// SPDX-License-Identifier: Apache-2.0
// How a worker that works is told from one that hangs.
#pragma once

#include <algorithm>
#include <atomic>

#include "serve/job.h"

namespace spotter {

/// Of one worker. It hangs, as far as anyone can tell, when it has been at one piece of work (a request to read, an
/// image to decode, a batch to compute) for two seconds, and for four times as long as it ever was before: a slow model
/// is slow again and again. Beat and Rest are the worker's, Hangs is anyone's.
class Pulse {
 public:
  /// A piece of work begins; the one before has ended.
  void Beat() { Begin(ServiceClock::now().time_since_epoch().count()); }
  /// There is nothing to do.
  void Rest() { Begin(0); }

  bool Hangs() const { return Hangs(ServiceClock::now()); }
  bool Hangs(ServiceClock::time_point now) const {
    constexpr ServiceClock::rep kPatience = ServiceClock::duration(std::chrono::seconds(2)).count();
    const auto since = since_.load();
    return since != 0 && now.time_since_epoch().count() - since > std::max(kPatience, 4 * longest_.load());
  }

 private:
  void Begin(ServiceClock::rep since) {
    if (since_ != 0) longest_ = std::max(longest_.load(), ServiceClock::now().time_since_epoch().count() - since_);
    since_ = since;
  }

  std::atomic<ServiceClock::rep> since_ = 0;    // 0: at rest
  std::atomic<ServiceClock::rep> longest_ = 0;  // of the pieces that ended
};

}  // namespace spotter
