// SPDX-License-Identifier: Apache-2.0
// Can its probabilities be trusted?
#include "page/trust.h"

#include <fmt/format.h>

#include "draw/chart.h"
#include "page/sections.h"
#include "report/tables.h"

namespace spotter {

std::vector<ReliabilityBar> ReliabilityBars(const Calibration& calibration) {
  std::vector<ReliabilityBar> bars;
  for (const ReliabilityBin& bin : calibration.bins)
    bars.push_back({bin.lower, bin.upper, bin.accuracy, bin.confidence, bin.images});
  return bars;
}

LineChart CoverageChart(const std::vector<CoveragePoint>& points) {
  Series series{.name = "", .x = {}, .y = {}};
  for (const CoveragePoint& point : points) {
    series.x.push_back(100 * point.coverage);
    series.y.push_back(point.accuracy);
  }
  LineChart chart;
  chart.title = "Accuracy by coverage";
  chart.x_label = "% of the images answered, the surest first";
  chart.y_format = ValueFormat::kPercent;
  chart.description = "Accuracy when only the most confident share of the images is answered.";
  chart.series.push_back(series);
  return chart;
}

void AddTrust(Node main, const ReportInput& input) {
  if (input.results == nullptr) return;
  const Evaluation& e = input.results->evaluation;
  Node section = AddSection(main, "trust", "Can its probabilities be trusted?");
  std::string text = fmt::format("Its probabilities are off by {} on average (expected calibration error, 15 bins)",
                                 Percent(e.calibration.ece));
  if (e.temperature != 1) {
    text += fmt::format("; by {} before they were divided by a temperature of {:.2f}, fitted on the validation images",
                        Percent(e.ece_uncalibrated), e.temperature);
  }
  Add(section, "p", "", text + ".");
  const auto coverage = AccuracyByCoverage(e.labels, e.logits, static_cast<int64_t>(input.data.classes.size()));
  if (!coverage.empty()) {
    const CoveragePoint& half = coverage[coverage.size() / 2 - 1];
    Add(section, "p", "",
        fmt::format("Of the {:.0f} % of the images that it is surest of (probability {:.0f} % or more), {} are right.",
                    100 * half.coverage, 100 * half.threshold, Percent(half.accuracy)));
  }
  Node charts = Add(section, "div", "charts");
  AddMarkup(Add(charts, "div", "chart-box"),
            DrawReliability(ReliabilityBars(e.calibration), "Reliability", ChartUse::kPage));
  AddMarkup(Add(charts, "div", "chart-box"), DrawLines(CoverageChart(coverage), ChartUse::kPage));
}

}  // namespace spotter
