// SPDX-License-Identifier: Apache-2.0
#include "bench/timing.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

// numpy.quantile([4, 1, 3, 2, 10], [.1, .5, .9]) and of [7, 5]
TEST(Quantiles, AreNumpys) {
  const Quantiles five = QuantilesOf({4, 1, 3, 2, 10});
  EXPECT_EQ(five.n, 5);
  EXPECT_DOUBLE_EQ(five.p10, 1.4);
  EXPECT_DOUBLE_EQ(five.median, 3);
  EXPECT_DOUBLE_EQ(five.p90, 7.6);
  const Quantiles two = QuantilesOf({7, 5});
  EXPECT_DOUBLE_EQ(two.p10, 5.2);
  EXPECT_DOUBLE_EQ(two.median, 6);
  EXPECT_DOUBLE_EQ(two.p90, 6.8);
  EXPECT_EQ(QuantilesOf({2.5}).p90, 2.5);
}

TEST(Quantiles, AreNamedInJson) {
  EXPECT_EQ(DumpJson(ToJson(Quantiles{3, 2, 1, 4}, "ms")), R"({"ms":2.0,"ms_p10":1.0,"ms_p90":4.0})");
}

TEST(TimeCalls, LeavesTheWarmUpOut) {
  std::vector<int64_t> rounds;
  const auto seconds =
      TimeCalls([&](int64_t round) { rounds.push_back(round); }, {.warm_up = 2, .least = 3, .most = 3, .seconds = 0});
  EXPECT_EQ(rounds, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(seconds.size(), 3U);
}

TEST(TimeCalls, DoesNoMoreThanItMay) {
  EXPECT_EQ(TimeCalls([](int64_t) {}, {.warm_up = 0, .least = 1, .most = 7, .seconds = 3600}).size(), 7U);
  EXPECT_EQ(TimeCalls([](int64_t) {}, {.warm_up = 0, .least = 2, .most = 7, .seconds = 0}).size(), 2U);
}

TEST(TimeInTurn, CallsOneThenTheOther) {
  std::string calls;
  const auto seconds =
      TimeInTurn([&] { calls += 'a'; }, [&] { calls += 'b'; }, {.warm_up = 1, .least = 2, .most = 2, .seconds = 0});
  EXPECT_EQ(calls, "ababab");
  EXPECT_EQ(seconds.size(), 2U);
}

}  // namespace
}  // namespace spotter
