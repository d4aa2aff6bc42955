// SPDX-License-Identifier: Apache-2.0
// The jobs that have no answer yet, so that a client is answered in time even when no worker comes to its job.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "serve/job.h"

namespace spotter {

/// Safe from any thread.
class OpenJobs {
 public:
  /// From now on, by a thread of its own, jobs are answered (504) whose deadline was more than `grace` ago: work that
  /// began in time may end meanwhile.
  explicit OpenJobs(ServiceClock::duration grace);
  ~OpenJobs();
  OpenJobs(const OpenJobs&) = delete;
  OpenJobs& operator=(const OpenJobs&) = delete;

  /// In the order of their deadlines.
  void Add(const std::shared_ptr<Job>& job);

  size_t known();  // jobs whose memory is not given back yet

 private:
  void Run();
  void GiveUpLate();

  const ServiceClock::duration grace_;
  std::mutex mutex_;
  std::condition_variable stop_;
  std::deque<std::weak_ptr<Job>> jobs_;
  size_t kept_ = 0;  // after the last time that those were taken out that had ended
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace spotter
