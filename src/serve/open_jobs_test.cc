// SPDX-License-Identifier: Apache-2.0
#include "serve/open_jobs.h"

#include "support/test_support.h"

namespace spotter {
namespace {

using std::chrono::seconds;

class OpenJobsTest : public testing::Test {
 protected:
  /// One whose deadline was so long ago.
  std::shared_ptr<Job> JobLateBy(seconds late) {
    auto job = std::make_shared<Job>();
    job->deadline = ServiceClock::now() - late;
    job->finish = [this](Job& job, const HttpResponse& response) {
      answered.push_back(&job);
      EXPECT_EQ(response.status, 504);
    };
    open.Add(job);
    return job;
  }

  OpenJobs open;
  std::vector<Job*> answered;
};

TEST_F(OpenJobsTest, AnswersThoseThatAreLate) {
  const auto first = JobLateBy(seconds(9)), second = JobLateBy(seconds(6)), third = JobLateBy(seconds(3));
  open.GiveUpLate(seconds(5));
  EXPECT_EQ(answered, (std::vector<Job*>{first.get(), second.get()}));
  open.GiveUpLate(seconds(5));
  EXPECT_EQ(answered.size(), 2U) << "once";
  open.GiveUpLate(seconds(1));
  EXPECT_EQ(answered.size(), 3U);
}

TEST_F(OpenJobsTest, DoesNotKeepWhatHasEnded) {
  std::weak_ptr<Job> ended = JobLateBy(seconds(9));
  EXPECT_TRUE(ended.expired());
  const auto open_still = JobLateBy(seconds(8));
  open.GiveUpLate(seconds(5));
  EXPECT_EQ(answered, std::vector<Job*>{open_still.get()});
}

}  // namespace
}  // namespace spotter
