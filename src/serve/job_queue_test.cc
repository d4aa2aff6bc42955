// SPDX-License-Identifier: Apache-2.0
#include "serve/job_queue.h"

#include <thread>

#include "support/test_support.h"

namespace spotter {
namespace {

/// Models are only told apart here, never used.
std::shared_ptr<ServedModel> FakeModel(char& place) {
  return {std::shared_ptr<void>(), reinterpret_cast<ServedModel*>(&place)};
}

std::shared_ptr<Job> JobOf(size_t images, const std::shared_ptr<ServedModel>& model = nullptr) {
  auto job = std::make_shared<Job>();
  job->model = model;
  job->images.list.resize(images);
  return job;
}

TEST(JobQueue, GivesImagesBeforeJobs) {
  JobQueue queue(1, 8);
  const auto first = JobOf(2), second = JobOf(1);
  queue.Add(second);
  queue.AddImages(first);
  Work work;
  ASSERT_TRUE(queue.Take(work));
  ASSERT_EQ(work.images.size(), 2U);
  EXPECT_EQ(work.images[1].job, first);
  EXPECT_EQ(work.images[1].index, 1U);
  ASSERT_TRUE(queue.Take(work));
  EXPECT_TRUE(work.images.empty());
  ASSERT_EQ(work.jobs.size(), 1U);
  EXPECT_EQ(work.jobs[0], second);
}

TEST(JobQueue, BoundsABatch) {
  JobQueue queue(1, 8);
  queue.AddImages(JobOf(20));
  Work work;
  for (const size_t size : {8U, 8U, 4U}) {
    ASSERT_TRUE(queue.Take(work));
    EXPECT_EQ(work.images.size(), size);
  }
  EXPECT_EQ(queue.queued_images(), 0U);
}

TEST(JobQueue, PutsImagesOfOneModelTogetherInTheOrderInWhichTheyCame) {
  char place[2];
  const auto a = FakeModel(place[0]), b = FakeModel(place[1]);
  JobQueue queue(1, 8);
  const auto a1 = JobOf(1, a), b1 = JobOf(2, b), a2 = JobOf(1, a);
  for (const auto& job : {a1, b1, a2}) queue.AddImages(job);
  Work work;
  ASSERT_TRUE(queue.Take(work));
  ASSERT_EQ(work.images.size(), 2U);
  EXPECT_EQ(work.images[0].job, a1);
  EXPECT_EQ(work.images[1].job, a2);
  ASSERT_TRUE(queue.Take(work));
  ASSERT_EQ(work.images.size(), 2U);
  EXPECT_EQ(work.images[0].job, b1);
}

TEST(JobQueue, SharesAmongTheIdle) {
  JobQueue queue(2, 64);
  std::atomic<size_t> first = 0, second = 0;
  std::atomic<int> waiting = 0;
  const auto take = [&](std::atomic<size_t>& taken) {
    Work work;
    ++waiting;
    queue.Take(work);
    taken = work.images.size();
  };
  std::thread one(take, std::ref(first)), two(take, std::ref(second));
  while (waiting < 2) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // both are inside by now
  queue.AddImages(JobOf(10));
  one.join();
  two.join();
  EXPECT_EQ(first + second, 10U);
  EXPECT_EQ(std::max<size_t>(first, second), 5U);
}

// The worker that has read a job comes back for its part of the images, also when another one is quicker.
TEST(JobQueue, LeavesAShareToWhoReads) {
  JobQueue queue(2, 64);
  queue.Add(JobOf(10));
  Work reader, other;
  ASSERT_TRUE(queue.Take(reader));
  ASSERT_EQ(reader.jobs.size(), 1U);
  queue.AddImages(reader.jobs[0]);
  ASSERT_TRUE(queue.Take(other));
  EXPECT_EQ(other.images.size(), 5U);
  ASSERT_TRUE(queue.Take(reader));
  EXPECT_EQ(reader.images.size(), 5U);
}

TEST(JobQueue, EndsWhenAllIsDone) {
  JobQueue queue(1, 8);
  queue.Add(JobOf(1));
  queue.Stop();
  Work work;
  ASSERT_TRUE(queue.Take(work)) << "what waits is still given out";
  queue.AddImages(work.jobs[0]);
  ASSERT_TRUE(queue.Take(work));
  EXPECT_FALSE(queue.Take(work));
}

TEST(JobQueue, LosesNothingAmongThreads) {
  constexpr size_t kWorkers = 4, kJobs = 2000;
  JobQueue queue(kWorkers, 16);
  std::atomic<size_t> jobs = 0, images = 0;
  std::vector<std::thread> workers;
  for (size_t i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&] {
      Work work;
      while (queue.Take(work)) {
        for (const auto& job : work.jobs) queue.AddImages(job);
        jobs += work.jobs.size();
        images += work.images.size();
      }
    });
  }
  for (size_t i = 0; i < kJobs; ++i) queue.Add(JobOf(i % 4));
  queue.Stop();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(jobs, kJobs);
  EXPECT_EQ(images, kJobs / 4 * (0 + 1 + 2 + 3));
}

}  // namespace
}  // namespace spotter
