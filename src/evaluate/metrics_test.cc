// SPDX-License-Identifier: Apache-2.0
#include "evaluate/metrics.h"

#include <cmath>

#include "support/test_support.h"

namespace spotter {
namespace {

/// What scikit-learn and statsmodels give; tests/fixtures/make_metrics_fixture.py wrote it.
const Json& Recorded() {
  static const Json recorded = Json::parse(ReadText(Fixture("metrics.json")));
  return recorded;
}

std::vector<float> Flat(const Json& rows) {
  std::vector<float> values;
  for (const Json& row : rows) {
    for (const Json& value : row) values.push_back(value.get<float>());
  }
  return values;
}

constexpr double kExact = 1e-9;
constexpr double kFp32Logits =
    1e-6;  // the recorded logits are doubles; as floats they move by up to 2^-24 of themselves (below 8)

void ExpectSame(const ClassMetrics& m, const Json& recorded) {
  EXPECT_NEAR(m.precision, recorded.at("precision").get<double>(), kExact);
  EXPECT_NEAR(m.recall, recorded.at("recall").get<double>(), kExact);
  EXPECT_NEAR(m.f1, recorded.at("f1").get<double>(), kExact);
  if (recorded.contains("support")) EXPECT_EQ(m.support, recorded.at("support").get<int64_t>());
}

TEST(Metrics, AreScikitLearns) {
  ASSERT_EQ(Recorded().at("cases").size(), 3u);
  for (const Json& recorded : Recorded().at("cases")) {
    SCOPED_TRACE(recorded.at("name").get<std::string>());
    const std::vector<int32_t> labels = recorded.at("labels");
    const std::vector<float> logits = Flat(recorded.at("logits"));
    const int64_t classes = recorded.at("classes");
    const Metrics m = ComputeMetrics(labels, logits, classes);
    EXPECT_EQ(m.images, static_cast<int64_t>(labels.size()));
    EXPECT_NEAR(m.accuracy, recorded.at("accuracy").get<double>(), kExact);
    EXPECT_NEAR(m.loss, recorded.at("log_loss").get<double>(), kFp32Logits);
    EXPECT_EQ(Json(m.confusion), recorded.at("confusion"));
    ASSERT_EQ(m.per_class.size(), recorded.at("per_class").size());
    for (size_t c = 0; c < m.per_class.size(); ++c) ExpectSame(m.per_class[c], recorded.at("per_class")[c]);
    ExpectSame(m.macro, recorded.at("macro"));
    ExpectSame(m.weighted, recorded.at("weighted"));
    for (const auto& [k, accuracy] : recorded.at("top_k_accuracy").items()) {
      const Metrics top = ComputeMetrics(labels, logits, classes, std::stoi(k));
      EXPECT_EQ(top.top_k, std::stoi(k));
      EXPECT_NEAR(top.top_k_accuracy, accuracy.get<double>(), kExact) << "top " << k;
    }
  }
}

TEST(WilsonInterval, IsStatsmodels) {
  ASSERT_EQ(Recorded().at("wilson_95").size(), 10u);
  for (const Json& recorded : Recorded().at("wilson_95")) {
    const auto interval = WilsonInterval(recorded.at("k"), recorded.at("n"));
    EXPECT_NEAR(interval[0], recorded.at("low").get<double>(), kExact) << recorded.dump();
    EXPECT_NEAR(interval[1], recorded.at("high").get<double>(), kExact) << recorded.dump();
  }
  EXPECT_EQ(WilsonInterval(0, 0), (std::array<double, 2>{0, 1}));
}

// Four classes, all logits equal: class 0 is predicted, and classes 0 and 1 are the first two.
TEST(Metrics, AmongEqualLogitsTheLowerClassWins) {
  const std::vector<int32_t> labels = {0, 1, 2, 3};
  const std::vector<float> logits(16, 1.5f);
  const Metrics m = ComputeMetrics(labels, logits, 4, 2);
  EXPECT_EQ(m.accuracy, 0.25);
  for (size_t label = 0; label < 4; ++label) EXPECT_EQ(m.confusion[label][0], 1);
  EXPECT_NEAR(m.loss, std::log(4.0), 1e-12);
  EXPECT_EQ(ComputeMetrics(std::vector<int32_t>{0, 1}, std::vector<float>(8, 1.5f), 4, 2).top_k_accuracy, 1);
  EXPECT_EQ(ComputeMetrics(std::vector<int32_t>{2, 3}, std::vector<float>(8, 1.5f), 4, 2).top_k_accuracy, 0);
}

TEST(Metrics, TopKFollowsTheNumberOfClasses) {
  const std::vector<int32_t> label = {0};
  EXPECT_EQ(ComputeMetrics(label, std::vector<float>(2), 2).top_k, 0);  // top 1 of 2 is the accuracy itself
  EXPECT_EQ(ComputeMetrics(label, std::vector<float>(3), 3).top_k, 2);
  EXPECT_EQ(ComputeMetrics(label, std::vector<float>(5), 5).top_k, 4);
  EXPECT_EQ(ComputeMetrics(label, std::vector<float>(6), 6).top_k, 5);
  EXPECT_EQ(ComputeMetrics(label, std::vector<float>(100), 100).top_k, 5);
}

TEST(Metrics, OfNoImagesAreZero) {
  const Metrics m = ComputeMetrics({}, {}, 3);
  EXPECT_EQ(m.images, 0);
  EXPECT_EQ(m.accuracy, 0);
  EXPECT_EQ(m.loss, 0);
  EXPECT_EQ(m.macro.f1, 0);
  EXPECT_EQ(m.weighted.f1, 0);
  EXPECT_EQ(m.accuracy_interval, (std::array<double, 2>{0, 1}));
}

TEST(Metrics, HugeLogitsDoNotOverflow) {
  const std::vector<int32_t> labels = {0, 1};
  const std::vector<float> logits = {3e38f, -3e38f, 1e4f, 0};
  const Metrics m = ComputeMetrics(labels, logits, 2);
  EXPECT_DOUBLE_EQ(m.loss, 5e3);
  EXPECT_EQ(m.accuracy, 0.5);
}

TEST(MetricsJson, HoldsEveryNumberByTheNameOfItsClass) {
  const std::vector<int32_t> labels = {0, 1, 1, 2};
  const std::vector<float> logits = {2, 1, 0, 0, 2, 1, 3, 2, 1, 0, 1, 2};  // predicts 0, 1, 0, 2
  const Json json = ToJson(ComputeMetrics(labels, logits, 3), {"a", "b", "c"});
  EXPECT_EQ(json.at("images"), 4);
  EXPECT_EQ(json.at("accuracy"), 0.75);
  EXPECT_EQ(json.at("accuracy_interval").size(), 2u);
  EXPECT_EQ(json.at("top_k"), (Json{{"k", 2}, {"accuracy", 1.0}}));
  EXPECT_EQ(json.at("per_class")[1].at("name"), "b");
  EXPECT_EQ(json.at("per_class")[1].at("recall"), 0.5);
  EXPECT_EQ(json.at("per_class")[0].at("precision"), 0.5);
  EXPECT_EQ(json.at("per_class")[1].at("support"), 2);
  EXPECT_EQ(json.at("macro").at("support"), 4);
  EXPECT_EQ(json.at("confusion_matrix"), (Json{{1, 0, 0}, {1, 1, 0}, {0, 0, 1}}));
  EXPECT_FALSE(
      ToJson(ComputeMetrics(std::vector<int32_t>{0}, std::vector<float>{1, 0}, 2), {"a", "b"}).contains("top_k"));
}

}  // namespace
}  // namespace spotter
