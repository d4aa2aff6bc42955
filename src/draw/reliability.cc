// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "draw/plot.h"
#include "draw/style.h"

namespace spotter {
namespace {

constexpr double kPlotHeight = 240;
constexpr double kHistogramHeight = 48;
constexpr double kHistogramSpace = 24;  // above it, for its name
constexpr double kRightMargin = 24;     // half of "100 %"
constexpr double kBetweenBars = 2;
const Ticks kShares = {0.2, {0, 0.2, 0.4, 0.6, 0.8, 1}};

std::string Percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string Words(const ReliabilityBar& bar) {
  return fmt::format("confidence {:.0f} to {:.0f} %: {} on average, accuracy {}, {} images", 100 * bar.lower,
                     100 * bar.upper, Percent(bar.confidence), Percent(bar.accuracy), WithThousands(bar.images));
}

/// From value `low` to `high` over the bin.
Box BinBox(const Plot& plot, const ReliabilityBar& bar, double low, double high) {
  const double left = plot.X(bar.lower) + kBetweenBars / 2;
  const double right = plot.X(bar.upper) - kBetweenBars / 2;
  return {left, plot.Y(high), right - left, plot.Y(low) - plot.Y(high)};
}

void DrawBars(Canvas& canvas, const Plot& plot, std::span<const ReliabilityBar> bars) {
  for (const ReliabilityBar& bar : bars) {
    if (bar.images == 0) continue;
    const auto [low, high] = std::minmax(bar.accuracy, bar.confidence);
    canvas.Tip(canvas.Rectangle("bar", BinBox(plot, bar, 0, bar.accuracy)), Words(bar));
    canvas.Tip(canvas.Rectangle("gap", BinBox(plot, bar, low, high)), Words(bar));
  }
}

void DrawHistogram(Canvas& canvas, const Plot& plot, std::span<const ReliabilityBar> bars) {
  canvas.Text({plot.area.x, plot.area.y - 7, "start", "faint"}, "images");
  for (const ReliabilityBar& bar : bars) {
    if (bar.images > 0) {
      const double count = static_cast<double>(bar.images);
      canvas.Tip(canvas.Rectangle("images", BinBox(plot, bar, 0, count)), Words(bar));
    }
  }
}

}  // namespace

std::string DrawReliability(std::span<const ReliabilityBar> bars, const std::string& title, ChartUse use) {
  int64_t most = 0;
  for (const ReliabilityBar& bar : bars) most = std::max(most, bar.images);

  Canvas canvas(kChartWidth, use, title, "Accuracy by confidence, with the number of images a bin.");
  const std::array<LegendEntry, 3> legend = {
      {{"accuracy", "bar", true}, {"gap to confidence", "gap", true}, {"no gap", "diagonal"}}};
  Plot plot;
  plot.area.y = DrawLegend(canvas, canvas.top(), legend) + 8;
  Ticks counts = RoundTicks({0, std::max<double>(1, static_cast<double>(most))}, 2, 1);
  plot.area.x = std::max(YAxisWidth(kShares, ValueFormat::kPercent), YAxisWidth(counts, ValueFormat::kNumber));
  plot.area.width = kChartWidth - plot.area.x - kRightMargin;
  plot.area.height = kPlotHeight;
  canvas.TellPlot(plot.area);
  DrawYAxis(canvas, plot, kShares, ValueFormat::kPercent);
  DrawBars(canvas, plot, bars);
  canvas.Line("axis", plot.area.x, plot.area.bottom(), plot.area.right(), plot.area.bottom());
  canvas.Line("diagonal", plot.X(0), plot.Y(0), plot.X(1), plot.Y(1));
  if (most == 0) {
    canvas.Text({plot.X(0.5), plot.Y(0.75), "middle", "faint"}, "no data yet");
    return canvas.Finish(DrawXAxis(canvas, plot, kShares, ValueFormat::kPercent, "confidence"));
  }

  Plot below = plot;
  below.area.y = plot.area.bottom() + kHistogramSpace;
  below.area.height = kHistogramHeight;
  below.y = {0, static_cast<double>(most)};
  DrawYAxis(canvas, below, counts, ValueFormat::kNumber);
  DrawHistogram(canvas, below, bars);
  return canvas.Finish(DrawXAxis(canvas, below, kShares, ValueFormat::kPercent, "confidence"));
}

}  // namespace spotter
