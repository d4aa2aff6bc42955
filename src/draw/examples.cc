// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "draw/canvas.h"
#include "draw/style.h"

namespace spotter {
namespace {

constexpr double kColumn = 208;
constexpr double kBetween = 12;
constexpr int kPictureSide = 168;
constexpr int kFinest = 2;  // pixels a unit, for screens and print
constexpr double kRow = kPictureSide + 50;
constexpr double kLineHeight = 17;

/// The picture at the left and the bottom of the square at (x, y), and a frame that says whether it was recognised.
void DrawPicture(Canvas& canvas, double x, double y, const ExamplePicture& example) {
  const int longer = std::max({example.picture.height, example.picture.width, 1});
  const int factor = kPictureSide / longer;
  const Picture shown = Thumbnail(example.picture.view(), kPictureSide * kFinest);
  const double scale = factor >= 1 ? factor : static_cast<double>(kPictureSide) / longer;
  const double width = example.picture.width * scale;
  const double height = example.picture.height * scale;
  const Box box{x, y + kPictureSide - height, width, height};
  canvas.Image(box, EncodePng(shown.view(), std::max(1, factor * kFinest)), factor > 1);
  pugi::xml_node frame = canvas.Rectangle(example.correct ? "right" : "wrong", box);
  Set(frame, "style", std::string("fill:none;stroke-width:2"));
}

/// A check mark or a cross, drawn, for not every font has them.
void DrawVerdict(Canvas& canvas, double x, double base, bool correct) {
  pugi::xml_node sign = canvas.Add("path", correct ? "right" : "wrong");
  Set(sign, "style", std::string("fill:none;stroke-width:2"));
  const std::string start = "M" + Coordinate(x) + " " + Coordinate(base - 4);
  Set(sign, "d", correct ? start + "l3 4l6 -9" : "M" + Coordinate(x) + " " + Coordinate(base - 9) + "l9 9m0 -9l-9 9");
}

}  // namespace

std::string DrawExamples(const std::string& title, std::span<const ExamplePicture> examples, int columns) {
  const int shown = std::clamp(static_cast<int>(examples.size()), 1, std::max(columns, 1));
  Canvas canvas(shown * kColumn + kBetween, ChartUse::kFile, title, "");
  const double top = canvas.top() + 8;
  int row = 0;
  int column = 0;
  for (const ExamplePicture& example : examples) {
    if (column == shown) {
      column = 0;
      ++row;
    }
    const double x = kBetween + column++ * kColumn;
    const double y = top + row * kRow;
    DrawPicture(canvas, x, y, example);
    const double base = y + kPictureSide + kLineHeight;
    canvas.Text({x, base}, example.caption, kColumn - kBetween);
    DrawVerdict(canvas, x, base + kLineHeight, example.correct);
    canvas.Text({x + 14, base + kLineHeight, "start", "faint"}, example.second_line, kColumn - kBetween - 14);
  }
  return canvas.Finish(top + (row + 1) * kRow);
}

}  // namespace spotter
