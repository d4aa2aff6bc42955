// SPDX-License-Identifier: Apache-2.0
// Wall-clock time between two places in the code.
#pragma once

#include <chrono>
#include <utility>

namespace spotter {

/// Runs from when it is made.
class Stopwatch {
 public:
  double Seconds() const { return Between(begin_, Clock::now()); }
  /// Since the last lap, the first time since the beginning.
  double Lap() {
    const auto now = Clock::now();
    return Between(std::exchange(lap_, now), now);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double Between(Clock::time_point a, Clock::time_point b) {
    return std::chrono::duration<double>(b - a).count();
  }
  Clock::time_point begin_ = Clock::now();
  Clock::time_point lap_ = begin_;
};

}  // namespace spotter
