// SPDX-License-Identifier: Apache-2.0
#include "serve/open_jobs.h"

#include <atomic>

#include "serve/pulse.h"
#include "support/test_support.h"

namespace spotter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class OpenJobsTest : public testing::Test {
 protected:
  /// One whose deadline was so long ago.
  std::shared_ptr<Job> JobLateBy(seconds late) {
    auto job = std::make_shared<Job>();
    job->deadline = ServiceClock::now() - late;
    job->finish = [this](Job&, const HttpResponse& response) {
      EXPECT_EQ(response.status, 504);
      ++answered;
    };
    open.Add(job);
    return job;
  }
  /// Answers after a while.
  int Answered() const {
    std::this_thread::sleep_for(milliseconds(300));
    return answered;
  }

  std::atomic<int> answered = 0;
  OpenJobs open{seconds(5)};
};

TEST_F(OpenJobsTest, AnswersThoseThatAreLateOnce) {
  const auto first = JobLateBy(seconds(9)), second = JobLateBy(seconds(6)), third = JobLateBy(seconds(3));
  EXPECT_EQ(Answered(), 2);
  EXPECT_EQ(Answered(), 2);
}

TEST_F(OpenJobsTest, DoesNotKeepWhatHasEnded) {
  const auto waits = JobLateBy(seconds(-60));
  for (int i = 0; i < 1000; ++i) JobLateBy(seconds(-60));
  EXPECT_LT(open.known(), 200U) << "behind the one that waits";
  EXPECT_EQ(Answered(), 0);
}

TEST(Pulse, HangsAfterTwoSecondsOrFourTimesTheLongestPiece) {
  Pulse pulse;
  const auto now = ServiceClock::now();
  EXPECT_FALSE(pulse.Hangs(now + seconds(100))) << "it rests";
  pulse.Beat();
  EXPECT_FALSE(pulse.Hangs(now + milliseconds(1900)));
  EXPECT_TRUE(pulse.Hangs(now + milliseconds(2300)));
  std::this_thread::sleep_for(milliseconds(700));
  pulse.Beat();  // that piece took 0.7 s: four times that is 2.8 s
  const auto then = ServiceClock::now();
  EXPECT_FALSE(pulse.Hangs(then + milliseconds(2600)));
  EXPECT_TRUE(pulse.Hangs(then + seconds(60)));
  pulse.Rest();
  EXPECT_FALSE(pulse.Hangs(then + seconds(100)));
}

}  // namespace
}  // namespace spotter
