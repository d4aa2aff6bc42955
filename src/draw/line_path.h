// SPDX-License-Identifier: Apache-2.0
// A series as the path of an SVG element.
#pragma once

#include <string>
#include <vector>

#include "draw/plot.h"

namespace spotter {

/// Whether a value can be drawn: finite and at most 1e100, so that differences are finite too.
bool IsPlottable(double value);

struct Point {
  double x = 0;
  double y = 0;
};

struct LinePath {
  std::string path;         // "M1 2L3 4M5 6L7 8"
  std::vector<Point> dots;  // points without a neighbour
};

/// Of the points in one unit of width only the lowest and the highest remain, and the ends of a stretch between gaps.
LinePath TraceLine(const Series& series, const Plot& plot);

}  // namespace spotter
