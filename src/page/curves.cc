// SPDX-License-Identifier: Apache-2.0
#include "page/curves.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "page/sections.h"

namespace spotter {
namespace {

using Value = std::optional<double>;

/// What a curve shows: of one run both members, of several the second (or the first where there is none).
struct Quantity {
  const char* name;
  const char* title;
  ValueFormat format;
  bool from_zero;
  Value (*training)(const EpochRecord&);
  Value (*validation)(const EpochRecord&);  // null: there is but one line
};

constexpr Quantity kQuantities[] = {
    {"loss", "Loss", ValueFormat::kNumber, false, [](const EpochRecord& e) -> Value { return e.train_loss; },
     [](const EpochRecord& e) { return e.validation_loss; }},
    {"accuracy", "Accuracy", ValueFormat::kPercent, false,
     [](const EpochRecord& e) -> Value { return e.train_accuracy; },
     [](const EpochRecord& e) { return e.validation_accuracy; }},
    {"learning_rate", "Learning rate", ValueFormat::kScientific, true,
     [](const EpochRecord& e) -> Value { return e.learning_rate; }, nullptr},
    {"images_per_second", "Images/s", ValueFormat::kNumber, true,
     [](const EpochRecord& e) -> Value { return e.images_per_second; }, nullptr},
};

Series MakeSeries(const std::string& name, const TrainState& state, Value (*value)(const EpochRecord&)) {
  Series series{.name = name, .x = {}, .y = {}};
  for (const EpochRecord& epoch : state.history) {
    series.x.push_back(static_cast<double>(epoch.epoch));
    series.y.push_back(value(epoch).value_or(std::nan("")));
  }
  return series;
}

bool HasValidation(const TrainState& state) {
  return !state.history.empty() && state.history.back().validation_loss.has_value();
}

void AddOneRun(LineChart& chart, const Quantity& q, const TrainState& state) {
  chart.series.push_back(MakeSeries(q.validation != nullptr ? "training" : "", state, q.training));
  if (q.validation == nullptr) return;
  if (HasValidation(state)) chart.series.push_back(MakeSeries("validation", state, q.validation));
  if (state.best_epoch > 0) {
    chart.marked_x = static_cast<double>(state.best_epoch);
    chart.marked_label = fmt::format("best epoch {}", state.best_epoch);
  }
}

void AddSeveralRuns(LineChart& chart, const Quantity& q, const std::vector<NamedHistory>& runs) {
  for (const NamedHistory& run : runs) {
    const bool validation = q.validation != nullptr && HasValidation(run.state);
    const std::string of_what = q.validation == nullptr || validation ? "" : " (training)";
    chart.series.push_back(MakeSeries(run.name + of_what, run.state, validation ? q.validation : q.training));
  }
  if (q.validation != nullptr) chart.title += ", validation";
}

std::string Describe(const LineChart& chart) {
  std::string text = chart.title + " by epoch.";
  for (const Series& series : chart.series) {
    if (!series.y.empty())
      text += fmt::format(" {}{}{:.4g} at first, {:.4g} at last.", series.name, series.name.empty() ? "" : ": ",
                          series.y.front(), series.y.back());
  }
  return text;
}

}  // namespace

std::vector<Curve> MakeCurves(const std::vector<NamedHistory>& runs) {
  std::vector<Curve> curves;
  for (const Quantity& q : kQuantities) {
    LineChart chart;
    chart.title = q.title;
    chart.x_label = "epoch";
    chart.y_format = q.format;
    chart.from_zero = q.from_zero;
    if (runs.size() == 1) {
      AddOneRun(chart, q, runs[0].state);
    } else {
      AddSeveralRuns(chart, q, runs);
    }
    chart.description = Describe(chart);
    curves.push_back({q.name, chart});
  }
  return curves;
}

void AddCurves(Node main, const ReportInput& input) {
  Node section = AddSection(main, "curves", "Curves");
  Node charts = Add(section, "div", "charts");
  for (const Curve& curve : MakeCurves({{input.name, input.state}}))
    AddMarkup(Add(charts, "div", "chart-box"), DrawLines(curve.chart, ChartUse::kPage));
}

}  // namespace spotter
