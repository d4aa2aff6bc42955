// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "draw/line_path.h"
#include "draw/plot.h"
#include "draw/style.h"
#include "draw/text_width.h"

namespace spotter {
namespace {

constexpr double kPlotHeight = 184;
constexpr double kRightMargin = 8;
constexpr double kDotRadius = 3;
constexpr double kPadding = 0.05;  // of the values' range, above and below

/// What the values of the chart reach; nothing without a point.
struct Extent {
  std::optional<Range> x;
  std::optional<Range> y;
  bool whole_x = true;  // epochs: no ticks between them
};

void Widen(std::optional<Range>& range, double value) {
  if (!range) range = Range{value, value};
  range->low = std::min(range->low, value);
  range->high = std::max(range->high, value);
}

Extent FindExtent(const LineChart& chart) {
  Extent extent;
  for (const Series& series : chart.series) {
    if (series.x.size() != series.y.size()) {
      Fail(ExitCode::kInternal, "the line '{}' has {} x for {} y", series.name, series.x.size(), series.y.size());
    }
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!IsPlottable(series.x[i]) || !IsPlottable(series.y[i])) continue;
      Widen(extent.x, series.x[i]);
      Widen(extent.y, series.y[i]);
      extent.whole_x = extent.whole_x && series.x[i] == std::floor(series.x[i]);
    }
  }
  return extent;
}

/// A range of no width, or too little for doubles to tell its ticks apart, becomes one.
Range Open(const Range& range) {
  const double magnitude = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low > magnitude * 1e-9) return range;
  const double half = magnitude == 0 ? 1 : magnitude * 0.1;
  return {range.low - half, range.high + half};
}

Range XRange(const Extent& extent) {
  if (!extent.x) return {};
  const double half = extent.x->low == extent.x->high ? 0.5 : 0;  // one epoch, and no other's tick
  return Open({extent.x->low - half, extent.x->high + half});
}

/// The values with some air; not across 0, nor across 100 %, where the values are on one side of it.
Range YRange(const LineChart& chart, const Extent& extent) {
  if (chart.y_range) return Open({chart.y_range->front(), chart.y_range->back()});
  if (!extent.y) return {};
  Range values = *extent.y;
  if (chart.from_zero) values = {std::min(0.0, values.low), std::max(0.0, values.high)};
  const Range open = Open(values);
  const double air = kPadding * (open.high - open.low);
  Range range = {open.low - air, open.high + air};
  if (values.low >= 0) range.low = std::max(0.0, range.low);
  if (values.high <= 0 && values.low < 0) range.high = std::min(0.0, range.high);
  if (chart.y_format == ValueFormat::kPercent && values.high <= 1) range.high = std::min(1.0, range.high);
  return range;
}

const char* FormatName(ValueFormat format) {
  switch (format) {
    case ValueFormat::kPercent:
      return "percent";
    case ValueFormat::kScientific:
      return "scientific";
    default:
      return "number";
  }
}

/// "1 2 3", with so many significant digits.
std::string Numbers(const std::vector<double>& values, int digits) {
  std::string text;
  for (const double value : values) {
    if (!text.empty()) text += ' ';
    text += IsPlottable(value) ? fmt::format("{:.{}g}", value, digits) : "NaN";
  }
  return text;
}

void DrawSeries(Canvas& canvas, const Plot& plot, const Series& series, int style) {
  const LinePath line = TraceLine(series, plot);
  pugi::xml_node path = canvas.Add("path", fmt::format("line line-{}", style).c_str());
  Set(path, "d", line.path);
  if (canvas.use() == ChartUse::kPage) {
    Set(path, "data-name", FitText(series.name, 1, std::numeric_limits<double>::infinity()));
    Set(path, "data-x", Numbers(series.x, 9));
    Set(path, "data-y", Numbers(series.y, 8));
  }
  for (const Point& point : line.dots) {
    pugi::xml_node dot = canvas.Add("circle", fmt::format("dot dot-{}", style).c_str());
    Set(dot, "cx", point.x);
    Set(dot, "cy", point.y);
    Set(dot, "r", kDotRadius);
  }
}

/// The line and, above the area, its label, kept within the area's sides.
void DrawMark(Canvas& canvas, const Plot& plot, double marked_x, const std::string& label) {
  const double x = plot.X(marked_x);
  const std::string text = FitText(label, kTextSize, plot.area.width);
  const double half = TextWidth(text, kTextSize) / 2;
  const double middle = std::clamp(x, plot.area.x + half, plot.area.right() - half);
  canvas.Line("mark", x, plot.area.y, x, plot.area.bottom());
  canvas.Text({middle, plot.area.y - 4, "middle", "faint"}, text);
}

int LineStyle(size_t series) { return static_cast<int>(series % kLineStyles) + 1; }

}  // namespace

std::string DrawLines(const LineChart& chart, ChartUse use) {
  const Extent extent = FindExtent(chart);
  const bool has_data = extent.x.has_value();
  Plot plot{{}, XRange(extent), YRange(chart, extent)};
  const Ticks x_ticks = RoundTicks(plot.x, kMostTicks, extent.whole_x ? 1 : 0);
  const Ticks y_ticks = RoundTicks(plot.y, kMostTicks);

  Canvas canvas(kChartWidth, use, chart.title, chart.description);
  std::vector<LegendEntry> legend;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    legend.push_back({chart.series[i].name, fmt::format("line line-{}", LineStyle(i))});
  }
  const bool marked = has_data && chart.marked_x && *chart.marked_x >= plot.x.low && *chart.marked_x <= plot.x.high;
  const double left = YAxisWidth(y_ticks, chart.y_format);
  const double top = DrawLegend(canvas, canvas.top(), legend) + (marked ? kTextSize + 10 : 8);
  const double right = std::max(kRightMargin, 4 + WidestLabel(x_ticks, ValueFormat::kNumber) / 2);
  plot.area = {left, top, kChartWidth - left - right, kPlotHeight};
  canvas.TellPlot(plot.area);
  Set(canvas.root(), "data-y-format", std::string(FormatName(chart.y_format)));
  Set(canvas.root(), "data-x-label", chart.x_label);
  if (!has_data) {
    canvas.Rectangle("frame", plot.area);
    canvas.Text({plot.area.x + plot.area.width / 2, top + kPlotHeight / 2, "middle", "faint"}, "no data yet");
    return canvas.Finish(DrawXAxis(canvas, plot, {}, ValueFormat::kNumber, chart.x_label));
  }
  Set(canvas.root(), "data-x-range", fmt::format("{} {}", plot.x.low, plot.x.high));
  Set(canvas.root(), "data-y-range", fmt::format("{} {}", plot.y.low, plot.y.high));
  DrawYAxis(canvas, plot, y_ticks, chart.y_format);
  const double bottom = DrawXAxis(canvas, plot, x_ticks, ValueFormat::kNumber, chart.x_label);
  if (marked) DrawMark(canvas, plot, *chart.marked_x, chart.marked_label);
  for (size_t i = 0; i < chart.series.size(); ++i) DrawSeries(canvas, plot, chart.series[i], LineStyle(i));
  return canvas.Finish(bottom);
}

}  // namespace spotter
