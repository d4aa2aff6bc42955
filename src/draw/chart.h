// SPDX-License-Identifier: Apache-2.0
// The charts of a training run's report, as SVG: for a page that gives the colours, or as files of their own.
//
// Names may hold anything: they are escaped, what is no text is replaced, and what is too long ends in an ellipsis.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "draw/pixels.h"

namespace spotter {

/// kPage: an <svg class="chart"> element for an HTML page that holds ChartStyle() once. It has no size of its own but
/// a viewBox, so that it takes the width that there is. kFile: a complete file with its own size and style, dark on
/// white.
enum class ChartUse { kPage, kFile };

/// How an axis writes 0.25: "0.25", "25 %", "2.5e-1".
enum class ValueFormat { kNumber, kPercent, kScientific };

/// Points in rising x; x and y have one length, or drawing throws Error(kInternal). Values that are not finite (or
/// beyond 1e100) are gaps. A point without neighbours is a dot.
struct Series {
  std::string name;  // in the legend; "": not there
  std::vector<double> x;
  std::vector<double> y;
};

/// Series have eight colours, shades of those that Okabe and Ito chose for every kind of colour vision, and eight dash
/// patterns, which also tell them apart in grey; the ninth is like the first.
struct LineChart {
  std::string title;
  std::string x_label;
  std::string description;  // for screen readers
  ValueFormat y_format = ValueFormat::kNumber;
  bool from_zero = false;                        // the y axis begins at 0
  std::optional<std::array<double, 2>> y_range;  // else what the values need
  std::vector<Series> series;
  std::optional<double> marked_x;  // a vertical line, when the x axis reaches it
  std::string marked_label;        // "best epoch 12"
};

/// Long series are thinned to the lowest and highest point of each unit of width. Without any value: the frame and "no
/// data yet".
///
/// For scripts, <svg> has data-plot="x y width height" (of the plotting area, in viewBox units),
/// data-x-range="min max" and data-y-range="min max" (what the area's sides stand for; both are left out without data)
/// and data-y-format="number", "percent" or "scientific", data-x-label. In a page each <path class="line line-1">
/// ("line-1" to "line-8") also has data-name, and data-x="1 2 3" and data-y="0.51 NaN 0.62" with all points.
std::string DrawLines(const LineChart& chart, ChartUse use);

/// The images whose highest probability is in [lower, upper); fractions in [0, 1].
struct ReliabilityBar {
  double lower = 0;
  double upper = 0;
  double accuracy = 0;
  double confidence = 0;  // the mean
  int64_t images = 0;     // 0: no bar
};

/// Accuracy by confidence as bars, the gap between the two, the diagonal on which they agree, and the number of images
/// a bin below. In a page each bar has a <title>, which browsers show as a tooltip.
std::string DrawReliability(std::span<const ReliabilityBar> bars, const std::string& title, ChartUse use);

/// counts[truth][prediction], square, as many rows as classes; else drawing throws Error(kInternal).
struct HeatMapChart {
  std::string title;
  std::vector<std::string> classes;
  std::vector<std::vector<int64_t>> counts;
  bool normalised = false;  // percent of the row instead of counts
};

/// Cells are shaded by the square root of their share (of the row when normalised, else of the largest count), so that
/// rare mistakes are seen. Up to 20 classes they hold numbers (zeros are left out) and, in a page, a <title>; above
/// that the map is one PNG (in a page of a pixel a cell), and every so many classes are named. <svg> has data-plot, as
/// lines have.
std::string DrawHeatMap(const HeatMapChart& chart, ChartUse use);

struct ExamplePicture {
  Picture picture;
  std::string caption;      // "cat"
  std::string second_line;  // "taken for dog, 87 %"
  bool correct = false;     // a check mark, else a cross, before the second line
};

/// A grid of pictures as a file of its own (PNGs inside). Small pictures are enlarged by whole factors with crisp
/// pixels, large ones shrunk to what is shown.
std::string DrawExamples(const std::string& title, std::span<const ExamplePicture> examples, int columns);

/// The CSS of the charts of a page: custom properties (--line-1 to --line-8, --chart-ink, --chart-faint, --chart-grid,
/// --chart-axis, --chart-bar, --chart-gap, --chart-heat, --chart-heat-ink, --chart-paper) for light and dark, by
/// prefers-color-scheme or by data-theme="light" or "dark" on the root element, and rules for the classes inside
/// .chart. The font is the page's.
std::string ChartStyle();

/// The bytes of a PNG of a kFile drawing, `scale` pixels a unit. Files and addresses that the drawing names are not
/// opened. Throws Error(kIo) with librsvg's or cairo's message.
std::string SvgToPng(const std::string& svg, double scale);

}  // namespace spotter
