// SPDX-License-Identifier: Apache-2.0
#include "draw/ticks.h"

#include "base/json.h"
#include "draw/text_width.h"
#include "support/test_support.h"

namespace spotter {
namespace {

std::vector<std::string> Labels(const Range& range, ValueFormat format, double least_step = 0) {
  const Ticks ticks = RoundTicks(range, 6, least_step);
  std::vector<std::string> labels;
  for (const double value : ticks.values) labels.push_back(TickLabel(value, ticks.step, format));
  return labels;
}

using Words = std::vector<std::string>;

TEST(Ticks, AreRoundNumbersWithinTheRange) {
  EXPECT_EQ(Labels({0, 1}, ValueFormat::kNumber), (Words{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(Labels({0.37, 0.83}, ValueFormat::kNumber), (Words{"0.4", "0.5", "0.6", "0.7", "0.8"}));
  EXPECT_EQ(Labels({1, 25}, ValueFormat::kNumber), (Words{"5", "10", "15", "20", "25"}));
  EXPECT_EQ(Labels({-0.1, 0.1}, ValueFormat::kNumber), (Words{"-0.10", "-0.05", "0.00", "0.05", "0.10"}));
  EXPECT_EQ(Labels({0, 3200}, ValueFormat::kNumber), (Words{"0", "1,000", "2,000", "3,000"}));
}

TEST(Ticks, AreWrittenAsTheAxisAsks) {
  EXPECT_EQ(Labels({0.9, 0.96}, ValueFormat::kPercent), (Words{"90 %", "92 %", "94 %", "96 %"}));
  EXPECT_EQ(Labels({0.99, 0.992}, ValueFormat::kPercent),
            (Words{"99.00 %", "99.05 %", "99.10 %", "99.15 %", "99.20 %"}));
  EXPECT_EQ(Labels({0, 2e-3}, ValueFormat::kScientific), (Words{"0", "5e-4", "1e-3", "1.5e-3", "2e-3"}));
  EXPECT_EQ(Labels({0, 2e-6}, ValueFormat::kNumber), (Words{"0", "5e-7", "1e-6", "1.5e-6", "2e-6"}));
}

TEST(Ticks, StandOnWholeEpochsOnly) {
  EXPECT_EQ(Labels({1, 3}, ValueFormat::kNumber, 1), (Words{"1", "2", "3"}));
  EXPECT_EQ(Labels({0.5, 1.5}, ValueFormat::kNumber, 1), (Words{"1"}));
}

TEST(Ticks, AreSixAtMostWhateverTheRange) {
  for (double low = -1000; low < 1000; low += 37.3) {
    for (double width = 1e-5; width < 1e7; width *= 1.7) {
      const size_t count = RoundTicks({low, low + width}, 6).values.size();
      EXPECT_LE(count, 6u) << low << " + " << width;
      EXPECT_GE(count, 2u) << low << " + " << width;
    }
  }
}

TEST(TextWidth, IsThatOfDejaVuSans) {
  const Json recorded = Json::parse(ReadText(Fixture("draw.json"))).at("widths");
  for (const auto& [text, ems] : recorded.items()) {
    EXPECT_NEAR(TextWidth(text, 10), 10 * ems.get<double>(), 0.3 * ems.get<double>()) << text;
  }
}

TEST(FitText, EndsInAnEllipsisWhereItIsCut) {
  EXPECT_EQ(FitText("airplane", 10, 100), "airplane");
  const std::string cut = FitText("a very long name of a class", 10, 60);
  EXPECT_TRUE(cut.starts_with("a very")) << cut;
  EXPECT_TRUE(cut.ends_with("…")) << cut;
  EXPECT_LE(TextWidth(cut, 10), 60);
  EXPECT_EQ(FitText("日本語の名前", 10, 31), "日本…");  // never within a character
}

TEST(FitText, ReplacesWhatXmlCantHold) {
  EXPECT_EQ(FitText("a\x01z", 10, 100), "a?z");
  EXPECT_EQ(FitText("a\xFFz", 10, 100), "a\xEF\xBF\xBDz");
  EXPECT_EQ(FitText("a\xEF\xBF\xBEz\xEF\xBF\xBF", 10, 100), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
}

}  // namespace
}  // namespace spotter
