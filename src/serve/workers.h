// SPDX-License-Identifier: Apache-2.0
// The threads that read requests, decode images and compute their classes. One core each: a batch is computed by one
// thread, so that no thread ever waits for another at the end of a layer.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "api/metrics.h"
#include "serve/job_queue.h"
#include "serve/pulse.h"

namespace spotter {

class Workers {
 public:
  /// Queue and metrics outlive them.
  Workers(JobQueue& queue, api::Metrics& metrics, int count);
  /// As Stop, whatever it takes.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  size_t count() const { return threads_.size(); }
  size_t hanging() const;  // workers that seem to come back no more (Pulse)

  /// Returns when all that waits in the queue is done, or a worker hangs: whether all is done.
  bool Stop();

 private:
  void Run(size_t worker);
  void Read(size_t worker, const std::shared_ptr<Job>& job);
  void Compute(size_t worker, const std::vector<QueuedImage>& images);

  JobQueue& queue_;
  api::Metrics& metrics_;
  std::vector<Pulse> pulses_;
  std::atomic<size_t> running_;
  std::vector<std::thread> threads_;
};

}  // namespace spotter
