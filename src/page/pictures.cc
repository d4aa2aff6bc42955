// SPDX-License-Identifier: Apache-2.0
#include "page/pictures.h"

#include <fmt/format.h>

#include "base/files.h"
#include "draw/chart.h"
#include "page/curves.h"
#include "page/trust.h"

namespace spotter {
namespace {

constexpr double kPixelsAUnit = 2;  // sharp on slides
constexpr int kExampleColumns = 6;

void WritePicture(const std::filesystem::path& folder, const std::string& name, const std::string& svg) {
  WriteFileAtomically(folder / (name + ".svg"), svg);
  WriteFileAtomically(folder / (name + ".png"), SvgToPng(svg, kPixelsAUnit));
}

}  // namespace

std::string ConfusionSvg(const ReportInput& input, bool normalised) {
  return DrawHeatMap({.title = normalised ? "Confusion matrix, share of each row" : "Confusion matrix",
                      .classes = input.data.classes,
                      .counts = input.results->evaluation.metrics.confusion,
                      .normalised = normalised},
                     ChartUse::kFile);
}

std::string ExamplesSvg(const ReportInput& input, const std::string& title, const std::vector<size_t>& examples) {
  const ImageShape& shape = input.data.shape;
  std::vector<ExamplePicture> pictures;
  for (const size_t i : examples) {
    const Example& example = input.results->gallery.examples[i];
    const auto& [label, probability] = example.top.front();
    const bool right = example.truth == example.prediction;
    const std::string answer = input.data.classes[label];
    pictures.push_back(
        {.picture = ToPicture({shape.height, shape.width, shape.channels, input.data.image(example.index)}),
         .caption = input.data.classes[static_cast<size_t>(example.truth)],
         .second_line = fmt::format("{}{}, {:.0f} %", right ? "" : "taken for ", answer, 100 * probability),
         .correct = right});
  }
  return DrawExamples(title, pictures, kExampleColumns);
}

void WritePictures(const std::filesystem::path& folder, const ReportInput& input) {
  MakeFolders(folder);
  for (const Curve& curve : MakeCurves({{input.name, input.state}}))
    WritePicture(folder, curve.name, DrawLines(curve.chart, ChartUse::kFile));
  if (input.results == nullptr) return;
  const Evaluation& e = input.results->evaluation;
  const Gallery& gallery = input.results->gallery;
  WritePicture(folder, "confusion_matrix", ConfusionSvg(input, /*normalised=*/false));
  WritePicture(folder, "confusion_matrix_normalised", ConfusionSvg(input, /*normalised=*/true));
  WritePicture(folder, "reliability", DrawReliability(ReliabilityBars(e.calibration), "Reliability", ChartUse::kFile));
  WritePicture(
      folder, "coverage",
      DrawLines(CoverageChart(AccuracyByCoverage(e.labels, e.logits, input.network.classes())), ChartUse::kFile));
  WritePicture(folder, "mistakes", ExamplesSvg(input, "Most confident mistakes", gallery.mistakes));
  WritePicture(folder, "unsure", ExamplesSvg(input, "Right, but least confident", gallery.unsure));
}

}  // namespace spotter
