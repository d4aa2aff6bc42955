// SPDX-License-Identifier: Apache-2.0
// From many requests to few batches: jobs wait here for a worker, first to be read, then image by image to be computed.
//
// A worker takes its share of what has come together: all that wait, divided among the workers that compute nothing,
// at most so many. Nothing waits for a batch to fill: an image alone is computed at once, and under load the batches
// grow by themselves. Images of one model only are computed together.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "serve/job.h"

namespace spotter {

struct QueuedImage {
  std::shared_ptr<Job> job;
  size_t index = 0;
};

/// What a worker has to do: jobs to read, or images of one model to compute.
struct Work {
  std::vector<std::shared_ptr<Job>> jobs;
  std::vector<QueuedImage> images;
};

/// Safe from any thread. It has no bound of its own: who comes in is decided at the door (Admission).
class JobQueue {
 public:
  JobQueue(size_t workers, size_t largest_batch) : workers_(workers), largest_batch_(largest_batch) {}

  void Add(std::shared_ptr<Job> job);
  /// All images of a job that has been read.
  void AddImages(const std::shared_ptr<Job>& job);

  /// Waits for work; `work` is what the worker had last. Images go before jobs: what has begun is finished first.
  /// Nothing is left to do when false comes: Stop was called, and the queue is empty.
  bool Take(Work& work);

  /// What waits is still given out; then Take returns false.
  void Stop();

  /// Forgets what waits.
  void Clear();

  size_t queued_images() const;

 private:
  size_t Share(size_t waiting, size_t takers) const;

  const size_t workers_;
  const size_t largest_batch_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::deque<QueuedImage> images_;
  size_t idle_ = 0;
  size_t computing_ = 0;  // workers with images
  bool stopped_ = false;
};

}  // namespace spotter
