// SPDX-License-Identifier: Apache-2.0
// spotter evaluate: what a model is worth on labelled images.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "commands/labelled_images.h"
#include "evaluate/evaluation.h"
#include "report/progress.h"
#include "report/run_folder.h"
#include "report/tables.h"

namespace spotter {
namespace {

struct Arguments {
  std::string model;
  std::string data;
  std::string split = "auto";
  int64_t top_k = 5;
  int64_t views = 0;
  double views_below = 1;
  bool strict = false;
  bool json = false;
  std::string csv;
  std::string confusion_csv;
  std::string predictions;
  ComputeSettings compute;
};

std::vector<Option> EvaluateOptions(Arguments& a) {
  std::vector<Option> list = {
      {"split", &a.split, "which images; auto takes the test images, or all of other data that is not divided"},
      {"top-k", &a.top_k, "also the accuracy of the k most probable classes", 1, 1000},
      {"views", &a.views, "views of an image to answer by, 1, 2 or 6; 0 is as the model was trained to be used", 0, 6},
      {"views-below", &a.views_below, "with views: only for images whose largest probability from one is below this", 0,
       1}};
  list.front().choices = {"auto", "train", "validation", "test", "all"};
  for (Option& option : ComputeOptions(a.compute)) list.push_back(std::move(option));
  return list;
}

Evaluation EvaluateWithProgress(const Model& model, const Dataset& data, const std::vector<int64_t>& indices,
                                const Compute& compute, int top_k) {
  ActivityLine line;
  return Evaluate(model, data, indices, compute, top_k,
                  [&](int64_t done) { line.Update("evaluating", done, static_cast<int64_t>(indices.size())); });
}

int Run(const Arguments& a) {
  Model model = LoadModel(FindModelFile(a.model));
  if (a.views == 0 && a.views_below < 1)
    Fail(ExitCode::kUsage, "--views-below says for which images --views are asked; give that too");
  if (a.views > 0) model.preprocessing.views = {static_cast<int>(a.views), a.views_below};
  CheckViews(model.preprocessing.views, model.preprocessing.shape);
  const Compute compute = PrepareCompute(a.compute);
  const auto [source, data, split, indices] =
      LoadLabelledImages({.verb = "evaluate", .model = a.model, .data = a.data, .split = a.split, .strict = a.strict},
                         model, compute.threads);
  model.network.MoveTo(compute.device);
  const Evaluation evaluation = EvaluateWithProgress(model, data, indices, compute, static_cast<int>(a.top_k));
  if (!a.csv.empty()) WriteFileAtomically(a.csv, PerClassCsv(evaluation.metrics, model.classes));
  if (!a.confusion_csv.empty()) WriteFileAtomically(a.confusion_csv, ConfusionCsv(evaluation.metrics, model.classes));
  if (!a.predictions.empty())
    WriteFileAtomically(a.predictions, PredictionsCsv(data, model.classes, indices, evaluation));
  if (a.json) {
    Json json = {{"model", a.model}, {"data", source}, {"split", split}};
    json.update(ToJson(evaluation, model.classes));
    std::puts(DumpJson(json, 2).c_str());
  } else {
    std::printf("%s on %s (%s images)\n%s", a.model.c_str(), source.c_str(), split.c_str(),
                EvaluationText(evaluation, model.classes).c_str());
  }
  return 0;
}

}  // namespace

Command EvaluateCommand() {
  return {"evaluate", "Measure a model on labelled images: accuracy, precision, recall, F1, confusion matrix",
          "  spotter evaluate runs/cifar10-seed-003-1                 on the run's own test images\n"
          "  spotter evaluate model.safetensors my-pictures/ --json\n"
          "  spotter evaluate runs/cifar10-seed-003-1 --split validation --confusion-csv matrix.csv",
          [](CLI::App& app) {
            auto a = std::make_shared<Arguments>();
            app.add_option("model", a->model, "a run's folder or a model file")->required();
            app.add_option("data", a->data, "a name, a folder or an archive; the run's own data unless given");
            app.add_flag("--strict", a->strict, "fail on an unreadable image rather than skip it");
            app.add_flag("--json", a->json, "print one JSON object");
            app.add_option("--csv", a->csv, "write the per-class table to this file")->type_name("FILE");
            app.add_option("--confusion-csv", a->confusion_csv, "write the confusion matrix to this file")
                ->type_name("FILE");
            app.add_option("--predictions", a->predictions, "write each image's prediction to this file")
                ->type_name("FILE");
            const auto given = AddFlags(app, EvaluateOptions(*a));
            return [a, given] {
              ApplyFlags(*given, EvaluateOptions(*a));
              return Run(*a);
            };
          }};
}

}  // namespace spotter
