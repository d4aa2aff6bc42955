// SPDX-License-Identifier: Apache-2.0
// The jobs that have no answer yet, so that a client is answered in time even when no worker comes to its job.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "serve/job.h"

namespace spotter {

/// The answer to a job behind its deadline: 504.
HttpResponse OutOfTime();

/// Safe from any thread.
class OpenJobs {
 public:
  /// In the order of their deadlines.
  void Add(const std::shared_ptr<Job>& job);

  /// Answers those (504) whose deadline was more than `grace` ago: work that began in time may end meanwhile.
  void GiveUpLate(ServiceClock::duration grace);

 private:
  std::mutex mutex_;
  std::deque<std::weak_ptr<Job>> jobs_;  // those that have ended go when they come to the front
};

}  // namespace spotter
