// SPDX-License-Identifier: Apache-2.0
// spotter evaluate: what a model is worth on labelled images.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "commands/load.h"
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

/// The data and its division as the run had them, so that its test images are the ones that it never saw.
struct Source {
  std::string data;
  DataSettings settings;
  int64_t seed = 0;
  bool own = false;         // the data that the model was trained on
  std::string fingerprint;  // of the data as the run had it
};

Source FindSource(const Arguments& a) {
  Source source;
  std::filesystem::path folder = std::filesystem::absolute(a.model);
  if (!IsFolder(folder)) folder = folder.parent_path();
  if (folder.filename() == "checkpoints") folder = folder.parent_path();
  if (PathExists(folder / "run.json")) {
    const RunFolder run = RunFolder::Open(folder);
    const TrainSettings settings = run.ReadRecipe();
    const Json data = run.ReadRun().value("data", Json::object());
    source = {data.value("source", ""), settings.data, settings.seed, true, data.value("fingerprint", "")};
  }
  if (!a.data.empty() && LastingName(a.data) != source.data) {
    std::error_code ignored;  // one of them may not exist
    const bool same = std::filesystem::equivalent(a.data, source.data, ignored);
    source.own = source.own && same;
    source.data = a.data;
  }
  if (source.data.empty()) {
    Fail(ExitCode::kUsage,
         "'{}' is a model without its run, so the images to evaluate it on must be given: spotter evaluate "
         "{} DATA",
         a.model, a.model);
  }
  if (a.data.empty()) CheckNotMoved(source.data, "spotter evaluate " + ShellWord(a.model) + " DATA");
  source.settings.strict = a.strict;
  return source;
}

/// The run's own data is read as the run read it, so that it comes from the cache and its fingerprint tells whether it
/// has changed since; other data is brought to the model's shape.
Dataset Load(const Source& source, const Model& model, int threads) {
  LoadOptions options = ToLoadOptions(source.settings, threads);
  if (source.own) {
    Dataset data = LoadWithProgress(source.data, options);
    if (data.fingerprint == source.fingerprint) return data;
    std::fprintf(stderr,
                 "warning: '%s' has changed since the run; unless it holds a test part of its own, images that were "
                 "trained on may be among those evaluated\n",
                 Printable(source.data).c_str());
    if (data.shape == model.preprocessing.shape) return data;
  }
  options.shape = model.preprocessing.shape;
  options.resize = model.preprocessing.resize;
  return LoadWithProgress(source.data, options);
}

/// The images to evaluate on, and what they are called.
std::pair<std::string, std::vector<int64_t>> Choose(const Arguments& a, const Source& source, const Dataset& data) {
  const bool divided = std::any_of(data.parts.begin(), data.parts.end(), [](Part part) { return part != Part::kNone; });
  std::vector<int64_t> all(static_cast<size_t>(data.size()));
  std::iota(all.begin(), all.end(), int64_t{0});
  if (a.split == "all" || (a.split == "auto" && !divided && !source.own))
    return {"all", all};  // a folder of test pictures
  const auto given = [&](Part part) {
    std::vector<int64_t> images;
    for (const int64_t i : all) {
      if (data.parts[static_cast<size_t>(i)] == part) images.push_back(i);
    }
    return images;
  };
  std::vector<int64_t> given_test = given(Part::kTest);
  if (!given_test.empty() && (a.split == "auto" || a.split == "test")) return {"test", given_test};
  if (!source.own) {  // nothing is cut from data that the model was not trained on
    if (a.split == "train") return {"train", given(Part::kTrain)};
    if (a.split == "test") return {"test", {}};
    return {"validation", given(Part::kValidation)};
  }
  const Splits splits = MakeSplits(data, source.settings.validation_fraction, source.settings.test_fraction,
                                   static_cast<uint64_t>(source.seed));
  if (a.split == "train") return {"train", splits.train};
  if (a.split == "validation" || (a.split == "auto" && splits.test.empty())) return {"validation", splits.validation};
  return {"test", splits.test};
}

Evaluation EvaluateWithProgress(const Model& model, const Dataset& data, const std::vector<int64_t>& indices,
                                const Compute& compute, int top_k) {
  ActivityLine line;
  return Evaluate(model, data, indices, compute, top_k,
                  [&](int64_t done) { line.Update("evaluating", done, static_cast<int64_t>(indices.size())); });
}

int Run(const Arguments& a) {
  Model model = LoadModel(FindModelFile(a.model));
  if (a.views > 0) model.preprocessing.views = {static_cast<int>(a.views), a.views_below};
  CheckViews(model.preprocessing.views, model.preprocessing.shape);
  const Source source = FindSource(a);
  const Compute compute = PrepareCompute(a.compute);
  Dataset data = Load(source, model, compute.threads);
  NoteSkipped(data);
  MatchClasses(data, model.classes);
  const auto [split, indices] = Choose(a, source, data);
  if (indices.empty()) Fail(ExitCode::kData, "'{}' has no {} images; choose others with --split", source.data, split);

  model.network.MoveTo(compute.device);
  const Evaluation evaluation = EvaluateWithProgress(model, data, indices, compute, static_cast<int>(a.top_k));
  if (!a.csv.empty()) WriteFileAtomically(a.csv, PerClassCsv(evaluation.metrics, model.classes));
  if (!a.confusion_csv.empty()) WriteFileAtomically(a.confusion_csv, ConfusionCsv(evaluation.metrics, model.classes));
  if (!a.predictions.empty())
    WriteFileAtomically(a.predictions, PredictionsCsv(data, model.classes, indices, evaluation));
  if (a.json) {
    Json json = {{"model", a.model}, {"data", source.data}, {"split", split}};
    json.update(ToJson(evaluation, model.classes));
    std::puts(DumpJson(json, 2).c_str());
  } else {
    std::printf("%s on %s (%s images)\n%s", a.model.c_str(), source.data.c_str(), split.c_str(),
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
