// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "draw/chart.h"
#include "page/comparison.h"
#include "page/curves.h"
#include "page/page.h"
#include "page/sections.h"
#include "report/tables.h"

namespace spotter {
namespace {

using Rows = std::vector<std::vector<std::string>>;

void AddTableOfResults(Node main, const std::vector<ComparedRun>& runs) {
  Rows rows;
  for (const ComparedRun& run : runs) {
    const auto interval = run.results.value("accuracy_interval", std::vector<double>{0, 1});
    rows.push_back({run.name, Percent(run.results.value("accuracy", 0.0)),
                    Percent(interval.at(0)) + " to " + Percent(interval.at(1)),
                    fmt::format("{:.3f}", run.results.value("/macro/f1"_json_pointer, 0.0)),
                    fmt::format("{:.4f}", run.results.value("loss", 0.0)),
                    run.results.contains("calibration") ? Percent(run.results["calibration"].value("ece", 0.0)) : "-",
                    std::to_string(run.state.epochs_done), fmt::format("{:.1f}", run.state.seconds())});
  }
  Node section = AddSection(main, "results", "Results");
  AddTable(Add(section, "div", "wide"), "sortable",
           {{"run"},
            {"accuracy", true},
            {"95 % interval", true},
            {"macro F1", true},
            {"loss", true},
            {"calibration error", true},
            {"epochs", true},
            {"seconds", true}},
           rows);
}

void AddTests(Node main, const std::vector<ComparedRun>& runs) {
  Node section = AddSection(main, "difference", "Is the difference more than noise?");
  Node list = Add(section, "ul");
  for (const PairTest& pair : CompareWithBest(runs)) Add(list, "li", "", Sentence(pair, runs));
}

void AddOverlaidCurves(Node main, const std::vector<ComparedRun>& runs) {
  Node section = AddSection(main, "curves", "Curves");
  Node charts = Add(section, "div", "charts");
  std::vector<NamedHistory> histories;
  for (const ComparedRun& run : runs) histories.push_back({run.name, run.state});
  for (const Curve& curve : MakeCurves(histories))
    AddMarkup(Add(charts, "div", "chart-box"), DrawLines(curve.chart, ChartUse::kPage));
}

/// The classes of all runs, those of the first one first.
std::vector<std::string> AllClasses(const std::vector<ComparedRun>& runs) {
  std::vector<std::string> names;
  for (const ComparedRun& run : runs) {
    for (const Json& entry : run.results.value("per_class", Json::array())) {
      const std::string name = entry.value("name", "");
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

void AddF1(Node main, const std::vector<ComparedRun>& runs) {
  std::vector<Column> columns = {{"class"}};
  for (const ComparedRun& run : runs) columns.push_back({run.name, true});
  Rows rows;
  for (const std::string& name : AllClasses(runs)) {
    rows.push_back({name});
    for (const ComparedRun& run : runs) {
      std::string text = "-";
      for (const Json& other : run.results.value("per_class", Json::array())) {
        if (other.value("name", "") == name) text = fmt::format("{:.3f}", other.value("f1", 0.0));
      }
      rows.back().push_back(text);
    }
  }
  AddTable(Add(AddSection(main, "classes", "F1 by class"), "div", "wide"), "sortable", columns, rows);
}

void AddSettings(Node main, const std::vector<ComparedRun>& runs) {
  Node section = AddSection(main, "settings", "Settings that differ");
  const Rows rows = DifferingSettings(runs);
  if (rows.empty()) {
    Add(section, "p", "", "None.");
    return;
  }
  std::vector<Column> columns = {{"setting"}};
  for (const ComparedRun& run : runs) columns.push_back({run.name});
  AddTable(Add(section, "div", "wide"), "", columns, rows);
}

}  // namespace

std::string RenderComparison(const std::vector<ComparedRun>& runs, const std::string& title,
                             const std::string& headline) {
  pugi::xml_document document;
  Node main = document.append_child("main");
  if (!headline.empty()) Add(Add(main, "section", "summary"), "p", "findings", headline);
  AddTableOfResults(main, runs);
  if (headline.empty()) AddTests(main, runs);
  AddOverlaidCurves(main, runs);
  AddF1(main, runs);
  AddSettings(main, runs);
  return RenderFrame({.title = title, .subtitle = fmt::format("{} runs", runs.size()), .main = InnerHtml(main)});
}

}  // namespace spotter
