// SPDX-License-Identifier: Apache-2.0
#include "evaluate/calibration.h"

#include <cmath>
#include <limits>

#include "evaluate/metrics.h"
#include "support/test_support.h"

namespace spotter {
namespace {

constexpr double kExact = 1e-9;
constexpr double kFp32 = 1e-6;  // divided logits are rounded to floats

struct Case {
  explicit Case(const Json& json)
      : recorded(json), labels(json.at("labels").get<std::vector<int32_t>>()), classes(json.at("classes")) {
    for (const Json& row : json.at("logits")) {
      for (const Json& value : row) logits.push_back(value.get<float>());
    }
  }
  Json recorded;
  std::vector<int32_t> labels;
  std::vector<float> logits;
  int64_t classes;
};

/// What numpy, scipy and torchmetrics give; tests/fixtures/make_calibration_fixture.py wrote it.
class Calibrations : public testing::Test {
 protected:
  static std::vector<Case> Cases() {
    const Json recorded = Json::parse(ReadText(Fixture("calibration.json")));
    std::vector<Case> cases(recorded.at("cases").begin(), recorded.at("cases").end());
    EXPECT_EQ(cases.size(), 4u);
    return cases;
  }
};

void ExpectSame(const Calibration& found, const Json& recorded, double tolerance) {
  EXPECT_NEAR(found.ece, recorded.at("ece").get<double>(), tolerance);
  ASSERT_EQ(found.bins.size(), recorded.at("bins").size());
  for (size_t b = 0; b < found.bins.size(); ++b) {
    const ReliabilityBin& bin = found.bins[b];
    const Json& expected = recorded.at("bins")[b];
    EXPECT_EQ(bin.lower, static_cast<double>(b) / 15);
    EXPECT_EQ(bin.upper, static_cast<double>(b + 1) / 15);
    EXPECT_EQ(bin.images, expected.at("images").get<int64_t>()) << b;
    EXPECT_NEAR(bin.confidence, expected.at("confidence").get<double>(), tolerance) << b;
    EXPECT_NEAR(bin.accuracy, expected.at("accuracy").get<double>(), tolerance) << b;
  }
}

TEST_F(Calibrations, AreNumpysBeforeAndAfterTheTemperature) {
  for (Case& c : Cases()) {
    SCOPED_TRACE(c.recorded.at("name"));
    ExpectSame(MeasureCalibration(c.labels, c.logits, c.classes), c.recorded.at("uncalibrated"), kExact);
    DivideByTemperature(c.logits, c.recorded.at("temperature"));
    ExpectSame(MeasureCalibration(c.labels, c.logits, c.classes), c.recorded.at("calibrated"), kFp32);
  }
}

TEST_F(Calibrations, TemperatureIsWhereScipyFindsTheLeastCrossEntropy) {
  for (Case& c : Cases()) {
    SCOPED_TRACE(c.recorded.at("name"));
    const double temperature = FitTemperature(c.labels, c.logits, c.classes);
    EXPECT_NEAR(temperature, c.recorded.at("temperature").get<double>(), 1e-6);
    EXPECT_NEAR(ComputeMetrics(c.labels, c.logits, c.classes).loss, c.recorded.at("loss").get<double>(), kExact);
    DivideByTemperature(c.logits, temperature);
    EXPECT_NEAR(ComputeMetrics(c.labels, c.logits, c.classes).loss, c.recorded.at("loss_calibrated").get<double>(),
                kFp32);
  }
}

TEST_F(Calibrations, CoverageIsNumpys) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.recorded.at("name"));
    const auto points = AccuracyByCoverage(c.labels, c.logits, c.classes, 10);
    const Json& recorded = c.recorded.at("coverage");
    ASSERT_EQ(points.size(), recorded.size());
    for (size_t k = 0; k < points.size(); ++k) {
      EXPECT_NEAR(points[k].coverage, recorded[k].at("coverage").get<double>(), kExact) << k;
      EXPECT_NEAR(points[k].accuracy, recorded[k].at("accuracy").get<double>(), kExact) << k;
      EXPECT_NEAR(points[k].threshold, recorded[k].at("threshold").get<double>(), kExact) << k;
    }
    EXPECT_EQ(points.back().coverage, 1);
  }
}

TEST(Calibration, ConfidenceOfOneAndOnAnEdgeLieInTheBinBelow) {
  // Two classes alike are 0.5, the upper edge of the second bin of four; a lead of 1000 is 1.
  const Calibration c =
      MeasureCalibration(std::vector<int32_t>{0, 1}, std::vector<float>{3, 3, 0, 1000}, 2, /*bins=*/4);
  EXPECT_EQ(c.bins[1].images, 1);
  EXPECT_EQ(c.bins[1].confidence, 0.5);
  EXPECT_EQ(c.bins[1].accuracy, 1) << "the lower class wins among equals";
  EXPECT_EQ(c.bins[3].images, 1);
  EXPECT_EQ(c.ece, 0.25);
}

TEST(Calibration, OfNoImagesIsZero) {
  const Calibration c = MeasureCalibration({}, {}, 3);
  EXPECT_EQ(c.ece, 0);
  EXPECT_EQ(c.bins.size(), 15u);
  EXPECT_TRUE(AccuracyByCoverage({}, {}, 3).empty());
}

TEST(FitTemperature, IsOneWhereThereIsNoneToFind) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(FitTemperature({}, {}, 3), 1);
  EXPECT_EQ(FitTemperature(std::vector<int32_t>{0, 1}, std::vector<float>{2, 1, 0, 3}, 2), 1) << "all are right";
  EXPECT_EQ(FitTemperature(std::vector<int32_t>{0, 1}, std::vector<float>{2, 2, 2, 2}, 2), 1) << "all are alike";
  for (const float value : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_EQ(FitTemperature(std::vector<int32_t>{0, 1}, std::vector<float>{2, 1, 1, value}, 2), 1);
}

TEST(FitTemperature, StaysWithinItsRange) {
  // Wrong more often than right: the flatter the better.
  EXPECT_EQ(FitTemperature(std::vector<int32_t>{0, 1, 1}, std::vector<float>{2, 0, 2, 0, 2, 0}, 2), 20);
  EXPECT_EQ(FitTemperature(std::vector<int32_t>{1}, std::vector<float>{3e38f, -3e38f}, 2), 20);
  // Leads of 0.001, of which one in a hundred is wrong.
  std::vector<int32_t> labels(100);
  labels[7] = 1;
  std::vector<float> logits;
  for (int i = 0; i < 100; ++i) logits.insert(logits.end(), {0.001f, 0});
  EXPECT_EQ(FitTemperature(labels, logits, 2), 0.05);
}

// Three of four right with a lead of 10: the odds should be 3, so the temperature 10 / ln 3.
TEST(FitTemperature, GivesTheOddsThatWereSeen) {
  const std::vector<int32_t> labels = {0, 0, 0, 1};
  EXPECT_NEAR(FitTemperature(labels, std::vector<float>{10, 0, 10, 0, 10, 0, 10, 0}, 2), 10 / std::log(3.0), 1e-9);
}

TEST(DivideByTemperature, KeepsWhatOneDoesAndDoesNotOverflow) {
  std::vector<float> logits = {1, -2, 3e38f, -3e38f};
  const std::vector<float> before = logits;
  DivideByTemperature(logits, 1);
  EXPECT_EQ(logits, before);
  DivideByTemperature(logits, 0.5);
  constexpr float kLargest = std::numeric_limits<float>::max();
  EXPECT_EQ(logits, (std::vector<float>{2, -4, kLargest, -kLargest}));
}

// The order of images of one confidence must not decide what is counted.
TEST(AccuracyByCoverage, ImagesOfOneConfidenceAreCoveredTogether) {
  const auto points =
      AccuracyByCoverage(std::vector<int32_t>{0, 0, 1, 0}, std::vector<float>{9, 0, 1, 0, 1, 0, 1, 0}, 2, 4);
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[0].coverage, 0.25);
  EXPECT_EQ(points[0].accuracy, 1);
  for (size_t k = 1; k < 4; ++k) {
    EXPECT_EQ(points[k].coverage, 1);
    EXPECT_EQ(points[k].accuracy, 0.75);
    EXPECT_NEAR(points[k].threshold, 1 / (1 + std::exp(-1)), kExact);
  }
}

TEST(CalibrationJson, NamesTheFields) {
  EXPECT_EQ(ToJson(std::vector<ReliabilityBin>{{0.5, 1, 3, 0.75, 0.25}}),
            (Json::array({{{"lower", 0.5}, {"upper", 1.0}, {"images", 3}, {"confidence", 0.75}, {"accuracy", 0.25}}})));
  EXPECT_EQ(ToJson(std::vector<CoveragePoint>{{0.5, 1, 0.75}}),
            (Json::array({{{"coverage", 0.5}, {"accuracy", 1.0}, {"threshold", 0.75}}})));
}

}  // namespace
}  // namespace spotter
