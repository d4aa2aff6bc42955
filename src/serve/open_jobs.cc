// SPDX-License-Identifier: Apache-2.0
#include "serve/open_jobs.h"

#include <algorithm>

#include "base/service_thread.h"

namespace spotter {

OpenJobs::OpenJobs(ServiceClock::duration grace)
    : grace_(grace), thread_(ServiceThread("deadlines", [this] { Run(); })) {}

OpenJobs::~OpenJobs() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void OpenJobs::Add(const std::shared_ptr<Job>& job) {
  constexpr size_t kFew = 64;
  const std::lock_guard lock(mutex_);
  // A job that has ended takes memory as long as it is known here: as many as are open are left at most.
  if (jobs_.size() > 2 * kept_ + kFew) {
    std::erase_if(jobs_, [](const std::weak_ptr<Job>& each) { return each.expired(); });
    kept_ = jobs_.size();
  }
  jobs_.push_back(job);
}

size_t OpenJobs::known() {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void OpenJobs::Run() {
  constexpr std::chrono::milliseconds kPause(50);
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kPause, [this] { return stopped_; })) {
    lock.unlock();
    GiveUpLate();
    lock.lock();
  }
}

void OpenJobs::GiveUpLate() {
  while (true) {
    std::shared_ptr<Job> late;  // answered, and let go, outside of the lock
    {
      const std::lock_guard lock(mutex_);
      while (!jobs_.empty() && jobs_.front().expired()) jobs_.pop_front();
      if (jobs_.empty()) return;
      late = jobs_.front().lock();
      if (late != nullptr && ServiceClock::now() <= late->deadline + grace_) return;
      jobs_.pop_front();
    }
    if (late == nullptr) continue;
    try {
      late->finish(*late, Job::OutOfTime());
    } catch (const std::exception&) {  // out of memory, most likely; the service lives on
    }
  }
}

}  // namespace spotter
