// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "draw/canvas.h"
#include "draw/style.h"
#include "draw/text_width.h"

namespace spotter {
namespace {

constexpr size_t kMostNumberedClasses = 20;
constexpr double kCell = 34;      // with a number
constexpr double kMapSide = 480;  // without: at most, unless cells were less than 1
constexpr int kFinest = 2;        // pixels a unit, for screens and print
constexpr double kLongestName = 110;
constexpr double kBetweenNames = 17;  // from one name to the next, slanting below the map
constexpr double kSlant = 45;
constexpr double kHot = 0.6;  // the opacity from which numbers change their colour
constexpr double kSmallMargin = 6;
constexpr const char* kImageHeat = "#2f7fc1";  // in a PNG: seen on white as on black

/// A chart with its shares in [0, 1].
struct Map {
  const HeatMapChart& chart;
  std::vector<std::vector<double>> shares;
  size_t classes() const { return shares.size(); }
};

Map MakeMap(const HeatMapChart& chart) {
  Map map{chart, {}};
  int64_t largest = 0;
  for (const auto& row : chart.counts) {
    if (chart.counts.size() != chart.classes.size() || row.size() != chart.classes.size()) {
      Fail(ExitCode::kInternal, "a heat map of {} classes with a row of {}", chart.classes.size(), row.size());
    }
    for (const int64_t count : row) largest = std::max(largest, count);
  }
  for (const auto& row : chart.counts) {
    const int64_t whole = chart.normalised ? std::accumulate(row.begin(), row.end(), int64_t{0}) : largest;
    std::vector<double>& shares = map.shares.emplace_back();
    for (const int64_t count : row) {
      shares.push_back(whole > 0 ? static_cast<double>(count) / static_cast<double>(whole) : 0);
    }
  }
  return map;
}

double Opacity(double share) { return std::sqrt(share); }

/// 9999 -> "9999", 12345 -> "12k", 1200000 -> "1.2M".
std::string ShortCount(int64_t count) {
  if (count < 10'000) return std::to_string(count);
  const auto value = static_cast<double>(count);
  return count < 1'000'000 ? fmt::format("{:.0f}k", value / 1e3) : fmt::format("{:.3g}M", value / 1e6);
}

std::string CellNumber(const Map& map, size_t row, size_t column) {
  if (!map.chart.normalised) return ShortCount(map.chart.counts[row][column]);
  const double percent = 100 * map.shares[row][column];
  return percent < 1 ? "<1" : fmt::format("{:.0f}", percent);
}

std::string CellWords(const Map& map, size_t row, size_t column) {
  const auto& classes = map.chart.classes;
  std::string words =
      row == column ? classes[row] + ", recognised" : fmt::format("{} taken for {}", classes[row], classes[column]);
  words += ": " + WithThousands(map.chart.counts[row][column]);
  if (map.chart.normalised) words += fmt::format(" ({:.1f} %)", 100 * map.shares[row][column]);
  return words;
}

void DrawCells(Canvas& canvas, const Map& map, const Box& area) {
  const double cell = area.width / static_cast<double>(map.classes());
  for (size_t row = 0; row < map.classes(); ++row) {
    for (size_t column = 0; column < map.classes(); ++column) {
      if (map.chart.counts[row][column] == 0) continue;
      const Box box{area.x + static_cast<double>(column) * cell, area.y + static_cast<double>(row) * cell, cell, cell};
      const double opacity = Opacity(map.shares[row][column]);
      pugi::xml_node shape = canvas.Rectangle("heat", box);
      Set(shape, "fill-opacity", opacity);
      canvas.Tip(shape, CellWords(map, row, column));
      const std::string number = CellNumber(map, row, column);
      const double size = std::min(12.0, (cell - 4) / TextWidth(number, 1));
      canvas.Text({box.x + cell / 2, box.y + cell / 2 + size * 0.36, "start",
                   opacity > kHot ? "heat-number hot" : "heat-number", size},
                  number);
    }
  }
}

uint8_t HexByte(std::string_view digits) {
  unsigned value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return static_cast<uint8_t>(value);
}

/// RGBA, a pixel a cell (a square of `enlarged`): one colour, as opaque as the cell is hot.
std::string MapPng(const Map& map, int enlarged) {
  const std::string_view colour = kImageHeat;
  const std::array<uint8_t, 3> rgb = {HexByte(colour.substr(1, 2)), HexByte(colour.substr(3, 2)),
                                      HexByte(colour.substr(5, 2))};
  std::vector<uint8_t> pixels;
  for (const auto& row : map.shares) {
    for (const double share : row) {
      pixels.insert(pixels.end(), rgb.begin(), rgb.end());
      pixels.push_back(static_cast<uint8_t>(std::lround(255 * Opacity(share))));
    }
  }
  const auto side = static_cast<int>(map.classes());
  return EncodePng({side, side, 4, pixels.data()}, enlarged);
}

/// Left of the rows, and slanting below the columns; every so many, where there is no room for all.
void DrawNames(Canvas& canvas, const Map& map, const Box& area) {
  const double cell = area.width / static_cast<double>(map.classes());
  const auto step = static_cast<size_t>(std::ceil(kBetweenNames / cell));
  for (size_t i = 0; i < map.classes(); i += step) {
    const double middle = (static_cast<double>(i) + 0.5) * cell;
    const std::string& name = map.chart.classes[i];
    canvas.Text({area.x - kSmallMargin, area.y + middle + 4.5, "end"}, name, kLongestName);
    canvas.Text({area.x + middle + 4, area.bottom() + 14, "end", "", 0, -kSlant}, name, kLongestName);
  }
}

double WidestName(const HeatMapChart& chart) {
  double widest = 0;
  for (const std::string& name : chart.classes) widest = std::max(widest, TextWidth(name, kTextSize));
  return std::min(widest, kLongestName);
}

/// What the shades stand for, from `top` on.
double DrawScale(Canvas& canvas, const Map& map, const Box& area, double top) {
  constexpr double kSwatch = 40;
  constexpr std::array<double, 6> kShares = {0.01, 0.05, 0.2, 0.5, 0.8, 1};
  for (size_t i = 0; i < kShares.size(); ++i) {
    const double x = area.x + static_cast<double>(i) * kSwatch;
    pugi::xml_node shape = canvas.Rectangle("heat", {x, top, kSwatch, 10});
    Set(shape, "fill-opacity", Opacity(kShares[i]));
    Set(shape, "style", std::string("fill:") + kImageHeat);
    canvas.Text({x + kSwatch / 2, top + 24, "middle", "faint", 11}, fmt::format("{:.0f} %", 100 * kShares[i]));
  }
  canvas.Text({area.x + kShares.size() * kSwatch + 8, top + 10, "start", "faint", 11},
              map.chart.normalised ? "of the row" : "of the largest count");
  return top + 32;
}

}  // namespace

std::string DrawHeatMap(const HeatMapChart& chart, ChartUse use) {
  const Map map = MakeMap(chart);
  const auto classes = static_cast<double>(std::max<size_t>(map.classes(), 1));
  const bool numbered = map.classes() <= kMostNumberedClasses;
  const double cell = numbered ? kCell : std::max(1.0, std::floor(kMapSide / classes));
  const double side = classes * cell;
  const double names = WidestName(chart);
  const double left = std::ceil(kSmallMargin + kTextSize + 8 + names + kSmallMargin);

  Canvas canvas(std::max(left + side + kSmallMargin, 300.0), use, chart.title,
                "Rows: the truth. Columns: the prediction.");
  const Box area{left, canvas.top() + 4, side, side};
  canvas.TellPlot(area);
  if (numbered) {
    DrawCells(canvas, map, area);
  } else {
    const int enlarged = use == ChartUse::kFile ? static_cast<int>(cell) * kFinest : 1;  // a browser does it itself
    canvas.Image(area, MapPng(map, enlarged), true);
  }
  canvas.Rectangle("frame", area);
  DrawNames(canvas, map, area);
  canvas.Text({kSmallMargin + kTextSize - 3, area.y + side / 2, "middle", "faint", 0, -90}, "truth", side);
  const double below = area.bottom() + 14 + names * std::sin(kSlant * M_PI / 180) + kTextSize + 4;
  canvas.Text({area.x + side / 2, below, "middle", "faint"}, "prediction");
  return canvas.Finish(numbered ? below + 6 : DrawScale(canvas, map, area, below + 12));
}

}  // namespace spotter
