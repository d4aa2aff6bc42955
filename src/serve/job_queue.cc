// SPDX-License-Identifier: Apache-2.0
#include "serve/job_queue.h"

#include <algorithm>
#include <utility>

namespace spotter {

void JobQueue::Add(std::shared_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  came_.notify_one();
}

void JobQueue::AddImages(const std::shared_ptr<Job>& job) {
  const size_t count = job->images.list.size();
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < count; ++i) images_.push_back({job, i});
  }
  // The worker that read the job comes back for its images itself.
  if (count > 1) came_.notify_one();
}

size_t JobQueue::Share(size_t waiting, size_t takers) const {
  return std::min((waiting + takers - 1) / takers, largest_batch_);
}

bool JobQueue::Take(Work& work) {
  const bool computed = !work.images.empty();
  work.jobs.clear();
  work.images.clear();
  std::unique_lock lock(mutex_);
  ++idle_;
  if (computed) --computing_;
  came_.wait(lock, [&] { return !images_.empty() || !jobs_.empty() || (stopped_ && idle_ == workers_); });
  if (!images_.empty()) {
    const void* model = images_.front().job->model.get();
    const size_t share = Share(images_.size(), workers_ - computing_);  // who reads a job is back soon
    ++computing_;
    std::deque<QueuedImage> others;
    while (!images_.empty() && work.images.size() < share) {
      const bool fits = images_.front().job->model.get() == model;
      if (fits)
        work.images.push_back(std::move(images_.front()));
      else
        others.push_back(std::move(images_.front()));
      images_.pop_front();
    }
    images_.insert(images_.begin(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  } else if (!jobs_.empty()) {
    const size_t share = Share(jobs_.size(), idle_);
    for (; work.jobs.size() < share; jobs_.pop_front()) work.jobs.push_back(std::move(jobs_.front()));
  } else {
    lock.unlock();
    came_.notify_all();  // the other workers wait for nothing, too
    return false;
  }
  --idle_;
  const bool more = idle_ > 0 && !(images_.empty() && jobs_.empty());
  lock.unlock();
  if (more) came_.notify_one();
  return true;
}

void JobQueue::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  came_.notify_all();
}

void JobQueue::Clear() {
  std::deque<std::shared_ptr<Job>> jobs;  // they end outside of the lock
  std::deque<QueuedImage> images;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
    images.swap(images_);
  }
}

size_t JobQueue::queued_images() const {
  const std::lock_guard lock(mutex_);
  return images_.size();
}

}  // namespace spotter
