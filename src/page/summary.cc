// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "page/findings.h"
#include "page/sections.h"
#include "report/tables.h"

namespace spotter {
namespace {

void AddFigure(Node figures, const std::string& name, const std::string& value, const std::string& note) {
  Node figure = Add(figures, "div", "figure");
  Add(figure, "dt", "", name);
  Node text = Add(figure, "dd");
  Add(text, "strong", "", value);
  if (!note.empty()) Add(text, "span", "note", note);
}

void AddResult(Node figures, const Results& results) {
  const Evaluation& e = results.evaluation;
  const Metrics& m = e.metrics;
  AddFigure(figures, results.split + " accuracy", Percent(m.accuracy),
            fmt::format("95 % interval {} to {}, {} images", Percent(m.accuracy_interval[0]),
                        Percent(m.accuracy_interval[1]), WithThousands(m.images)));
  AddFigure(figures, "macro F1", Percent(m.macro.f1), "mean over the classes");
  if (m.top_k > 0)
    AddFigure(figures, fmt::format("top-{} accuracy", m.top_k), Percent(m.top_k_accuracy), "the truth among them");
  AddFigure(figures, "calibration error", Percent(e.calibration.ece), fmt::format("temperature {:.2f}", e.temperature));
}

void AddTraining(Node figures, const ReportInput& input) {
  const TrainState& state = input.state;
  if (state.history.empty()) return;
  AddFigure(figures, "epochs", fmt::format("{} of {}", state.epochs_done, input.settings.epochs),
            state.best_epoch > 0 ? fmt::format("best: epoch {}", state.best_epoch) : "");
  AddFigure(figures, "training time", HumanSeconds(state.seconds()),
            fmt::format("{} images/s", WithThousands(static_cast<int64_t>(state.history.back().images_per_second))));
}

/// Figures that flatter the model are said to.
void AddCaution(Node section, const std::string& split) {
  if (split == "test") return;
  Add(section, "p", "advice",
      split == "validation" ? "There are no test images. These are the validation images, by which the best epoch and "
                              "the temperature were "
                              "chosen: on others the model is likely to do a little worse."
                            : "There are neither test nor validation images. These are the images that the model was "
                              "trained on: on others "
                              "it will do worse.");
}

void AddAdvice(Node section, const ReportInput& input) {
  const auto advice = Advise(input.state.history, input.settings, ClassCounts(input.data, input.splits.train),
                             ClassCounts(input.data, input.splits.validation));
  if (advice.empty()) return;
  Node box = Add(section, "div", "advice");
  Add(box, "h3", "", "Is it learning?");
  Node list = Add(box, "ul");
  for (const Advice& one : advice) {
    std::string text = one.text;
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    Add(list, "li", "", text + ".");
  }
}

}  // namespace

Node AddSection(Node main, const char* id, const char* title) {
  Node section = Add(main, "section");
  SetAttribute(section, "id", id);
  Add(section, "h2", "", title);
  return section;
}

void AddSummary(Node main, const ReportInput& input) {
  Node section = Add(main, "section", "summary");
  SetAttribute(section, "id", "summary");
  Node figures = Add(section, "dl", "figures");
  if (input.results != nullptr) AddResult(figures, *input.results);
  AddTraining(figures, input);
  if (input.results != nullptr) AddCaution(section, input.results->split);
  if (input.results != nullptr)
    Add(section, "p", "findings", Findings(input.results->evaluation.metrics, input.data.classes));
  AddAdvice(section, input);
}

}  // namespace spotter
