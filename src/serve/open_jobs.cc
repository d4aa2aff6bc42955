// SPDX-License-Identifier: Apache-2.0
#include "serve/open_jobs.h"

#include <vector>

namespace spotter {

HttpResponse OutOfTime() {
  return HttpError(504, "there was no time for the request; try again later, or with fewer images");
}

void OpenJobs::Add(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  while (!jobs_.empty() && jobs_.front().expired()) jobs_.pop_front();
  jobs_.push_back(job);
}

void OpenJobs::GiveUpLate(ServiceClock::duration grace) {
  std::vector<std::shared_ptr<Job>> late;  // they are answered outside of the lock
  {
    const std::lock_guard lock(mutex_);
    for (; !jobs_.empty(); jobs_.pop_front()) {
      auto job = jobs_.front().lock();
      if (job == nullptr) continue;
      if (ServiceClock::now() <= job->deadline + grace) break;
      late.push_back(std::move(job));
    }
  }
  for (const auto& job : late) job->finish(*job, OutOfTime());
}

}  // namespace spotter
