// SPDX-License-Identifier: Apache-2.0
#include "draw/plot.h"

#include <algorithm>

#include "draw/style.h"
#include "draw/text_width.h"

namespace spotter {
namespace {

constexpr double kMargin = 4;
constexpr double kHalfDigit = 4.5;  // from a digit's middle to its base line
constexpr double kLabelGap = 6;
constexpr double kTickLength = 4;
constexpr double kLegendRow = 19;
constexpr double kSample = 24;

}  // namespace

double WidestLabel(const Ticks& ticks, ValueFormat format) {
  double width = 0;
  for (const double value : ticks.values) {
    width = std::max(width, TextWidth(TickLabel(value, ticks.step, format), kTextSize));
  }
  return width;
}

double YAxisWidth(const Ticks& ticks, ValueFormat format) { return kMargin + WidestLabel(ticks, format) + kLabelGap; }

void DrawYAxis(Canvas& canvas, const Plot& plot, const Ticks& ticks, ValueFormat format) {
  for (const double value : ticks.values) {
    const double y = plot.Y(value);
    canvas.Line("grid", plot.area.x, y, plot.area.right(), y);
    canvas.Text({plot.area.x - kLabelGap, y + kHalfDigit, "end", "faint"}, TickLabel(value, ticks.step, format));
  }
}

double DrawXAxis(Canvas& canvas, const Plot& plot, const Ticks& ticks, ValueFormat format, const std::string& name) {
  const double base = plot.area.bottom();
  canvas.Line("axis", plot.area.x, base, plot.area.right(), base);
  for (const double value : ticks.values) {
    const double x = plot.X(value);
    canvas.Line("axis", x, base, x, base + kTickLength);
    canvas.Text({x, base + kTickLength + kTextSize, "middle", "faint"}, TickLabel(value, ticks.step, format));
  }
  const double below = base + kTickLength + kTextSize + 4;
  if (name.empty()) return below;
  canvas.Text({plot.area.x + plot.area.width / 2, below + kTextSize, "middle", "faint"}, name, plot.area.width);
  return below + kTextSize + 6;
}

double DrawLegend(Canvas& canvas, double top, std::span<const LegendEntry> entries) {
  constexpr double kBetween = 16;
  double x = kMargin;
  double row = top;
  for (const LegendEntry& entry : entries) {
    if (entry.name.empty()) continue;
    const double longest = canvas.width() - 2 * kMargin - kSample - kLabelGap;
    const std::string name = FitText(entry.name, kTextSize, longest);
    const double width = kSample + kLabelGap + TextWidth(name, kTextSize);
    if (x > kMargin && x + width > canvas.width() - kMargin) {
      x = kMargin;
      row += kLegendRow;
    }
    const double middle = row + kLegendRow / 2;
    if (entry.filled) {
      canvas.Rectangle(entry.classes.c_str(), {x + kSample - 14, middle - 5, 13, 10});
    } else {
      canvas.Line(entry.classes.c_str(), x, middle, x + kSample, middle);
    }
    canvas.Text({x + kSample + kLabelGap, middle + kHalfDigit}, name);
    x += width + kBetween;
  }
  return x > kMargin ? row + kLegendRow : top;
}

}  // namespace spotter
