// SPDX-License-Identifier: Apache-2.0
// The threads that read requests, decode images and compute their classes. One core each: a batch is computed by one
// thread, so that no thread ever waits for another at the end of a layer.
#pragma once

#include <thread>
#include <vector>

#include "api/metrics.h"
#include "serve/job_queue.h"
#include "serve/pulse.h"

namespace spotter {

class Workers {
 public:
  /// A worker that is at one piece of work for longer hangs, as far as anyone can tell.
  static constexpr auto kPatience = std::chrono::seconds(2);

  /// Queue and metrics outlive them.
  Workers(JobQueue& queue, api::Metrics& metrics, int count);
  /// All that waits in the queue is done first.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  size_t count() const { return threads_.size(); }
  size_t hanging() const;

 private:
  void Run(size_t worker);
  void Read(size_t worker, const std::shared_ptr<Job>& job);
  void Compute(size_t worker, const std::vector<QueuedImage>& images);
  bool Dropped(Job& job) const;

  JobQueue& queue_;
  api::Metrics& metrics_;
  std::vector<Pulse> pulses_;
  std::vector<std::thread> threads_;
};

}  // namespace spotter
