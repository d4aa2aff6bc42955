// SPDX-License-Identifier: Apache-2.0
#include "commands/labelled_images.h"

#include <cstdio>
#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/load.h"
#include "report/run_folder.h"

namespace spotter {
namespace {

/// The data and its division as the run had them, so that its test images are the ones that it never saw.
struct Source {
  std::string data;
  DataSettings settings;
  int64_t seed = 0;
  bool own = false;         // the data that the model was trained on
  std::string fingerprint;  // of the data as the run had it
};

Source FindSource(const ImageRequest& a) {
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
    Fail(ExitCode::kUsage, "'{}' is a model without its run, so the images must be given: spotter {} {} DATA{}",
         a.model, a.verb, a.model, a.or_else);
  }
  if (a.data.empty()) CheckNotMoved(source.data, "spotter " + a.verb + " " + ShellWord(a.model) + " DATA");
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
std::pair<std::string, std::vector<int64_t>> Choose(const ImageRequest& a, const Source& source, const Dataset& data) {
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

}  // namespace

LabelledImages LoadLabelledImages(const ImageRequest& request, const Model& model, int threads) {
  const Source source = FindSource(request);
  LabelledImages images{.source = source.data, .data = Load(source, model, threads), .split = {}, .indices = {}};
  NoteSkipped(images.data);
  MatchClasses(images.data, model.classes);
  std::tie(images.split, images.indices) = Choose(request, source, images.data);
  if (images.indices.empty())
    Fail(ExitCode::kData, "'{}' has no {} images; choose others with --split", source.data, images.split);
  return images;
}

}  // namespace spotter
