// SPDX-License-Identifier: Apache-2.0
#include "draw/line_path.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace spotter {
namespace {

/// The points between two gaps, in viewBox units.
using Stretch = std::vector<Point>;

std::vector<Stretch> Stretches(const Series& series, const Plot& plot) {
  std::vector<Stretch> stretches(1);
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (IsPlottable(series.x[i]) && IsPlottable(series.y[i])) {
      stretches.back().push_back({plot.X(series.x[i]), plot.Y(series.y[i])});
    } else if (!stretches.back().empty()) {
      stretches.emplace_back();
    }
  }
  if (stretches.back().empty()) stretches.pop_back();
  return stretches;
}

Stretch Thinned(const Stretch& whole) {
  Stretch thin = {whole.front()};
  const auto by_height = [](const Point& a, const Point& b) { return a.y < b.y; };
  for (auto begin = whole.begin() + 1; begin < whole.end() - 1;) {
    const double column = std::floor(begin->x);
    const auto end = std::find_if(begin, whole.end() - 1, [&](const Point& p) { return std::floor(p.x) != column; });
    auto [highest, lowest] = std::minmax_element(begin, end, by_height);
    if (highest > lowest) std::swap(highest, lowest);
    thin.push_back(*highest);
    if (lowest != highest) thin.push_back(*lowest);
    begin = end;
  }
  thin.push_back(whole.back());
  return thin;
}

}  // namespace

bool IsPlottable(double value) { return std::abs(value) <= 1e100; }

LinePath TraceLine(const Series& series, const Plot& plot) {
  LinePath line;
  for (const Stretch& stretch : Stretches(series, plot)) {
    if (stretch.size() == 1) {
      line.dots.push_back(stretch.front());
      continue;
    }
    char command = 'M';
    for (const Point& point : Thinned(stretch)) {
      line.path += command + Coordinate(point.x) + ' ' + Coordinate(point.y);
      command = 'L';
    }
  }
  return line;
}

}  // namespace spotter
