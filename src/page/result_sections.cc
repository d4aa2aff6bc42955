// SPDX-License-Identifier: Apache-2.0
// What the model made of the evaluated images: by class, as a matrix, and as pictures.
#include <fmt/format.h>

#include "base/text.h"
#include "page/findings.h"
#include "page/sections.h"

namespace spotter {
namespace {

std::string Fraction(double value) { return fmt::format("{:.3f}", value); }

std::vector<std::string> ClassRow(const std::string& name, const ClassMetrics& m) {
  return {name, Fraction(m.precision), Fraction(m.recall), Fraction(m.f1), WithThousands(m.support)};
}

/// "cat (87, 9 %)"
std::string Partner(const Metrics& m, const std::vector<std::string>& classes, size_t truth) {
  const Confusion most = MostConfused(m, truth);
  if (most.count == 0) return "none";
  return fmt::format("{} ({}, {:.0f} %)", classes[most.prediction], most.count,
                     100.0 * static_cast<double>(most.count) / static_cast<double>(m.per_class[truth].support));
}

void AddButton(Node parent, const char* id, const char* text) {
  Node button = Add(parent, "button", "", text);
  SetAttribute(button, "type", "button");
  SetAttribute(button, "id", id);
}

}  // namespace

void AddClasses(Node main, const ReportInput& input) {
  if (input.results == nullptr) return;
  const Metrics& m = input.results->evaluation.metrics;
  const auto& classes = input.data.classes;
  Node section = AddSection(main, "classes", "Classes");
  Add(section, "p", "",
      "Precision: of the images given this name, the share that is it. Recall: of the images that are it, the share "
      "that was given the name. F1: their harmonic mean. Support: how many there are.");
  std::vector<std::vector<std::string>> rows;
  for (size_t c = 0; c < classes.size(); ++c) {
    rows.push_back(ClassRow(classes[c], m.per_class[c]));
    rows.back().push_back(Partner(m, classes, c));
  }
  Node box = Add(section, "div", "wide");
  Node table = AddTable(
      box, "sortable",
      {{"class"}, {"precision", true}, {"recall", true}, {"F1", true}, {"support", true}, {"most often taken for"}},
      rows);
  SetAttribute(table, "id", "class-table");
  Node foot = Add(table, "tfoot");
  for (const auto& row : {ClassRow("macro average", m.macro), ClassRow("weighted average", m.weighted)}) {
    Node line = Add(foot, "tr");
    for (size_t i = 0; i < row.size(); ++i) Add(line, i == 0 ? "th" : "td", i == 0 ? "" : "number", row[i]);
    Add(line, "td");
  }
}

void AddConfusion(Node main, const ReportInput& input) {
  if (input.results == nullptr) return;
  Node section = AddSection(main, "confusion", "Confusion matrix");
  Add(section, "p", "",
      "Rows: what the images are. Columns: what they were taken for. Choose a cell to see its images.");
  AddButton(Add(section, "p"), "normalise", "Shares of each row");
  SetAttribute(Add(section, "div", "wide"), "id", "matrix");
  Node panel = Add(section, "div", "panel");
  SetAttribute(panel, "id", "cell-images");
  SetAttribute(panel, "aria-live", "polite");
}

void AddExamples(Node main, const ReportInput& input) {
  if (input.results == nullptr) return;
  Node section = AddSection(main, "examples", "Examples");
  if (!input.results->gallery.heat.rgb.empty()) {
    Node line = Add(section, "p");
    AddButton(line, "heat", "What it looked at");
    Add(line, "span", "note", "Bright: what spoke for the answer (HiResCAM on the last convolution).");
  }
  for (const auto& [id, title] : {std::pair{"mistakes", "Most confident mistakes"},
                                  {"unsure", "Right, but least confident"},
                                  {"by-class", "By class"}}) {
    Add(section, "h3", "", title);
    SetAttribute(Add(section, "div", "gallery"), "id", id);
  }
}

}  // namespace spotter
