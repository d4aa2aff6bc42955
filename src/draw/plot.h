// SPDX-License-Identifier: Apache-2.0
// What charts with axes share: values to places, axes, the legend.
#pragma once

#include <span>
#include <string>

#include "draw/canvas.h"
#include "draw/ticks.h"

namespace spotter {

inline constexpr double kChartWidth = 440;
inline constexpr int kMostTicks = 6;

/// The plotting area and the values of its sides.
struct Plot {
  Box area;
  Range x;
  Range y;
  double X(double value) const { return area.x + (value - x.low) / (x.high - x.low) * area.width; }
  double Y(double value) const { return area.bottom() - (value - y.low) / (y.high - y.low) * area.height; }
};

/// Grid lines of the y axis and their labels, to the left of the area.
void DrawYAxis(Canvas& canvas, const Plot& plot, const Ticks& ticks, ValueFormat format);

/// The base line, its ticks and their labels, and the axis' name below them. Returns the y below all that.
double DrawXAxis(Canvas& canvas, const Plot& plot, const Ticks& ticks, ValueFormat format, const std::string& name);

/// The width of the widest label.
double WidestLabel(const Ticks& ticks, ValueFormat format);

/// The width that the labels of the y axis take to the left of the area.
double YAxisWidth(const Ticks& ticks, ValueFormat format);

struct LegendEntry {
  std::string name;
  std::string classes;  // of its sample
  bool filled = false;  // a small box, else a piece of line
};

/// Samples and names from `top` on, wrapped to the canvas' width. Returns the y below.
double DrawLegend(Canvas& canvas, double top, std::span<const LegendEntry> entries);

}  // namespace spotter
