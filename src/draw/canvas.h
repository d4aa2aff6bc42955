// SPDX-License-Identifier: Apache-2.0
// One SVG drawing in the making: shapes and text with the classes of the charts' style.
#pragma once

#include <limits>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "draw/chart.h"

namespace spotter {

/// A number of an SVG attribute: two decimals at most, and no more than it needs.
std::string Coordinate(double value);

struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

struct Label {
  double x = 0;
  double y = 0;  // of the line that letters stand on
  const char* anchor = "start";
  const char* classes = "";
  double font_size = 0;  // 0: the style's
  double turn = 0;       // degrees about (x, y)
};

class Canvas {
 public:
  /// Draws the title, unless it is empty, and names the drawing for screen readers.
  Canvas(double width, ChartUse use, const std::string& title, const std::string& description);

  ChartUse use() const { return use_; }
  double width() const { return width_; }
  double top() const { return top_; }  // where the space below the title begins
  pugi::xml_node root() { return root_; }

  pugi::xml_node Add(const char* tag, const char* classes);
  void Line(const char* classes, double x1, double y1, double x2, double y2);
  pugi::xml_node Rectangle(const char* classes, const Box& box);
  /// Text, cut to `longest`.
  void Text(const Label& label, std::string_view text, double longest = std::numeric_limits<double>::infinity());
  void Image(const Box& box, const std::string& png, bool crisp);
  /// What a browser shows while the mouse is on a shape; files have none.
  void Tip(pugi::xml_node shape, std::string_view text);
  /// data-plot of the root.
  void TellPlot(const Box& plot);

  /// The drawing, `height` high.
  std::string Finish(double height);

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
  double width_;
  double top_;
  ChartUse use_;
};

/// Adds an attribute.
void Set(pugi::xml_node node, const char* name, double value);
void Set(pugi::xml_node node, const char* name, const std::string& value);

}  // namespace spotter
