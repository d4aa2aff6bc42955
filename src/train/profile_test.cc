// SPDX-License-Identifier: Apache-2.0
#include "train/profile.h"

#include <gtest/gtest.h>

#include "support/test_support.h"

namespace spotter {
namespace {

Profile Example() {
  return {.images = 1000,
          .data = 1,
          .loss = 0,
          .optimizer = 1,
          .forward = 2,
          .backward = 4,
          .steps = {{.name = "conv_1 + relu",
                     .forward_seconds = 2,
                     .backward_seconds = 4,
                     .forward_products = 1e11,
                     .backward_products = 3e11},
                    {.name = "maxpool_1"}}};
}

TEST(Profile, NamesEachPhaseWithItsShare) {
  const std::string text = ProfileText(Example(), 200);
  EXPECT_NE(
      text.find("backward                                          4.00   50.0%       4000.0      150      75%\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("all                                               8.00  100.0%"), std::string::npos) << text;
  EXPECT_EQ(text.find("loading"), std::string::npos) << text;  // there was none
}

TEST(Profile, TellsWhatTheEnginesStepsReach) {
  const std::string text = ProfileText(Example(), 200);
  EXPECT_NE(text.find("conv_1 + relu                                     2.00   25.0%      100      50%       4.00   "
                      "50.0%      150      75%\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("maxpool_1                                         0.00    0.0%"), std::string::npos) << text;
}

TEST(Profile, OfARunAddsUpToItsTime) {
  const Profile run = {.loading = 3, .report = 1, .wall = 14};
  const Profile joined = Joined(run, Example());
  EXPECT_EQ(joined.seconds(), 12);
  EXPECT_EQ(joined.steps.size(), 2U);
  const std::string text = ProfileText(joined, 200);
  EXPECT_NE(text.find("loading the data                                  3.00   21.4%"), std::string::npos) << text;
  EXPECT_NE(text.find("everything else                                   2.00   14.3%"), std::string::npos) << text;
  EXPECT_NE(text.find("all                                              14.00  100.0%"), std::string::npos) << text;
  const Json json = ProfileJson(joined, 200);
  EXPECT_EQ(json["seconds"], 14);
  EXPECT_EQ(json["phases"]["loading"], 3);
  EXPECT_EQ(json["phases"]["backward"], 4);
  EXPECT_EQ(json["steps"][0]["backward_gflops"], 150);
}

TEST(Profile, WithoutAnEngineHasPhasesAlone) {
  Profile profile = Example();
  profile.steps.clear();
  const std::string text = ProfileText(profile, 200);
  EXPECT_NE(text.find("forward"), std::string::npos);
  EXPECT_EQ(text.find("Step of the network"), std::string::npos);
}

}  // namespace
}  // namespace spotter
