// SPDX-License-Identifier: Apache-2.0
#include "evaluate/statistics.h"

#include "base/json.h"
#include "support/test_support.h"

namespace spotter {
namespace {

/// What statsmodels and scipy give; tests/fixtures/make_calibration_fixture.py wrote it.
Json Recorded(const char* what) { return Json::parse(ReadText(Fixture("calibration.json"))).at(what); }

TEST(McNemarTest, IsStatsmodels) {
  ASSERT_EQ(Recorded("mcnemar").size(), 8u);
  for (const Json& recorded : Recorded("mcnemar")) {
    SCOPED_TRACE(recorded.dump());
    const int64_t first = recorded.at("first"), second = recorded.at("second");
    const double p = recorded.at("p");
    const McNemar test = McNemarTest(first, second);
    EXPECT_EQ(test.only_first, first);
    EXPECT_EQ(test.only_second, second);
    EXPECT_NEAR(test.p_value, p, 1e-9 * p);
    EXPECT_EQ(McNemarTest(second, first).p_value, test.p_value);
  }
}

TEST(McNemarTest, OfClassifiersThatNeverDifferIsOne) { EXPECT_EQ(McNemarTest(0, 0).p_value, 1); }

TEST(Summarise, IsScipys) {
  ASSERT_EQ(Recorded("spread").size(), 4u);
  for (const Json& recorded : Recorded("spread")) {
    SCOPED_TRACE(recorded.dump());
    const std::vector<double> values = recorded.at("values");
    const Spread spread = Summarise(values);
    EXPECT_EQ(spread.n, static_cast<int64_t>(values.size()));
    EXPECT_NEAR(spread.mean, recorded.at("mean").get<double>(), 1e-9);
    EXPECT_NEAR(spread.standard_deviation, recorded.at("standard_deviation").get<double>(), 1e-9);
    EXPECT_NEAR(spread.low, recorded.at("low").get<double>(), 1e-9);
    EXPECT_NEAR(spread.high, recorded.at("high").get<double>(), 1e-9);
  }
}

TEST(Summarise, OfOneValueHasNoSpread) {
  const Spread spread = Summarise(std::vector<double>{0.75});
  EXPECT_EQ(spread.n, 1);
  EXPECT_EQ(spread.mean, 0.75);
  EXPECT_EQ(spread.standard_deviation, 0);
  EXPECT_EQ(spread.low, 0.75);
  EXPECT_EQ(spread.high, 0.75);
}

}  // namespace
}  // namespace spotter
