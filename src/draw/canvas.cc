// SPDX-License-Identifier: Apache-2.0
#include "draw/canvas.h"

#include <fmt/format.h>

#include <sstream>

#include "base/digest.h"
#include "draw/style.h"
#include "draw/text_width.h"

namespace spotter {
namespace {

constexpr double kMargin = 4;
constexpr double kBoldWidth = 1.16;  // of the plain letters

std::string Clean(std::string_view text) { return FitText(text, 1, std::numeric_limits<double>::infinity()); }

/// One page holds many charts: ids that differ as the charts do.
std::string Id(const std::string& title, const std::string& description) {
  FastHash hash;
  hash.Add(title);
  hash.Add("\n");
  hash.Add(description);
  return "chart-" + hash.Hex().substr(0, 8);
}

void Place(pugi::xml_node node, const Box& box) {
  Set(node, "x", box.x);
  Set(node, "y", box.y);
  Set(node, "width", box.width);
  Set(node, "height", box.height);
}

}  // namespace

void Set(pugi::xml_node node, const char* name, double value) { Set(node, name, Coordinate(value)); }

void Set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(value.c_str());
}

std::string Coordinate(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Canvas::Canvas(double width, ChartUse use, const std::string& title, const std::string& description)
    : width_(width), top_(kMargin), use_(use) {
  root_ = document_.append_child("svg");
  Set(root_, "class", "chart");
  Set(root_, "role", "img");
  if (use == ChartUse::kFile) {
    Set(root_, "xmlns", "http://www.w3.org/2000/svg");
    Set(root_, "xmlns:xlink", "http://www.w3.org/1999/xlink");
    root_.append_child("style").text().set(FileStyle().c_str());
    Rectangle("paper", {});  // Finish() knows its size
  }
  const std::string id = Id(title, description);
  std::string labels;
  if (!title.empty()) {
    top_ += kTitleSize + 7;
    Text({kMargin, kMargin + kTitleSize, "start", "title"}, title,
         (width - 2 * kMargin) / kBoldWidth * kTextSize / kTitleSize);
    Set(root_.last_child(), "id", id + "-title");
    labels = id + "-title";
  }
  if (!description.empty()) {
    pugi::xml_node node = root_.append_child("desc");
    Set(node, "id", id + "-description");
    node.text().set(Clean(description).c_str());
    labels += (labels.empty() ? "" : " ") + id + "-description";
  }
  if (!labels.empty()) Set(root_, "aria-labelledby", labels);
}

pugi::xml_node Canvas::Add(const char* tag, const char* classes) {
  pugi::xml_node node = root_.append_child(tag);
  Set(node, "class", classes);
  return node;
}

void Canvas::Line(const char* classes, double x1, double y1, double x2, double y2) {
  pugi::xml_node line = Add("line", classes);
  Set(line, "x1", x1);
  Set(line, "y1", y1);
  Set(line, "x2", x2);
  Set(line, "y2", y2);
}

pugi::xml_node Canvas::Rectangle(const char* classes, const Box& box) {
  pugi::xml_node rectangle = Add("rect", classes);
  Place(rectangle, box);
  return rectangle;
}

void Canvas::Text(const Label& label, std::string_view text, double longest) {
  pugi::xml_node node = Add("text", label.classes);
  if (*label.classes == '\0') node.remove_attribute("class");
  Set(node, "x", label.x);
  Set(node, "y", label.y);
  if (std::string_view(label.anchor) != "start") Set(node, "text-anchor", label.anchor);
  // A style, for a rule of the style sheet goes before an attribute.
  if (label.font_size > 0) Set(node, "style", "font-size:" + Coordinate(label.font_size) + "px");
  if (label.turn != 0) {
    Set(node, "transform", fmt::format("rotate({} {} {})", label.turn, Coordinate(label.x), Coordinate(label.y)));
  }
  node.text().set(FitText(text, label.font_size > 0 ? label.font_size : kTextSize, longest).c_str());
}

void Canvas::Image(const Box& box, const std::string& png, bool crisp) {
  pugi::xml_node image = Add("image", crisp ? "crisp" : "smooth");
  Place(image, box);
  Set(image, "preserveAspectRatio", "none");
  // Older programs know only the first.
  Set(image, use_ == ChartUse::kFile ? "xlink:href" : "href", DataUri("image/png", png));
}

void Canvas::Tip(pugi::xml_node shape, std::string_view text) {
  if (use_ == ChartUse::kPage) shape.append_child("title").text().set(Clean(text).c_str());
}

void Canvas::TellPlot(const Box& plot) {
  Set(root_, "data-plot",
      fmt::format("{} {} {} {}", Coordinate(plot.x), Coordinate(plot.y), Coordinate(plot.width),
                  Coordinate(plot.height)));
}

std::string Canvas::Finish(double height) {
  Set(root_, "viewBox", fmt::format("0 0 {} {}", Coordinate(width_), Coordinate(height)));
  if (use_ == ChartUse::kFile) {
    Set(root_, "width", width_);
    Set(root_, "height", height);
    pugi::xml_node paper = root_.child("rect");
    paper.attribute("width").set_value(Coordinate(width_).c_str());
    paper.attribute("height").set_value(Coordinate(height).c_str());
  }
  std::ostringstream text;
  document_.save(text, "", pugi::format_raw | pugi::format_no_declaration);
  return text.str();
}

}  // namespace spotter
