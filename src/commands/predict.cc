// SPDX-License-Identifier: Apache-2.0
// spotter predict: the classes of images.
#include <glob.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "data/tree.h"
#include "evaluate/evaluator.h"
#include "evaluate/predictor.h"
#include "report/run_folder.h"
#include "report/tables.h"
#include "train/settings.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string model;
  std::vector<std::string> images;
  int64_t top = 3;
  std::string format = "text";
  bool json = false;
  ComputeSettings compute;
};

std::vector<Option> PredictOptions(Arguments& a) {
  std::vector<Option> list = {{"top", &a.top, "how many classes to print for each", 1, 100000},
                              {"format", &a.format, "how to print"}};
  list.back().choices = {"text", "csv", "json"};
  for (Option& option : ComputeOptions(a.compute)) list.push_back(std::move(option));
  return list;
}

/// The images in a folder and below, as the loader of data sets finds them: hidden files and other kinds are no images.
void AppendFolder(const fs::path& folder, std::vector<std::string>& files) {
  const auto tree = OpenFolder(folder);
  const auto peeks = tree->Peek(/*threads=*/0, {});
  for (size_t i = 0; i < peeks.size(); ++i) {
    if (peeks[i].kind != ImagePeek::Kind::kOther) files.push_back((folder / tree->files()[i].name).string());
  }
}

void AppendGlob(const std::string& pattern, std::vector<std::string>& files) {
  glob_t result{};
  const int status = ::glob(pattern.c_str(), 0, nullptr, &result);
  for (size_t i = 0; status == 0 && i < result.gl_pathc; ++i) {
    if (IsFolder(result.gl_pathv[i]))
      AppendFolder(result.gl_pathv[i], files);
    else
      files.emplace_back(result.gl_pathv[i]);
  }
  ::globfree(&result);
  if (status != 0)
    Fail(ExitCode::kUsage, "'{}' is neither a file nor a folder, and as a pattern it matches nothing", pattern);
}

std::vector<std::string> ExpandImages(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    if (argument == "-") {
      for (std::string line; std::getline(std::cin, line);) {
        if (!Trim(line).empty()) files.emplace_back(Trim(line));
      }
    } else if (IsFolder(argument)) {
      AppendFolder(argument, files);
    } else if (PathExists(argument)) {
      files.push_back(argument);
    } else {
      AppendGlob(argument, files);
    }
  }
  if (files.empty() && arguments.size() == 1 && arguments[0] != "-")
    Fail(ExitCode::kData, "the folder '{}' holds no JPEG, PNG or WebP images", Printable(arguments[0]));
  if (files.empty())
    Fail(ExitCode::kData,
         "no images were given: a file, a folder, a pattern in quotes, or - for a list on standard input was "
         "expected");
  return files;
}

void PrintText(const Prediction& answer, const std::vector<std::string>& classes) {
  std::string line = Printable(answer.file) + ":";
  for (const auto& [label, probability] : answer.top)
    line += fmt::format("  {} {:.1f} %", Printable(classes[label]), 100 * probability);
  std::puts(line.c_str());
}

void PrintCsv(const Prediction& answer, const std::vector<std::string>& classes) {
  for (size_t k = 0; k < answer.top.size(); ++k) {
    const auto& [label, probability] = answer.top[k];
    std::puts(
        fmt::format("{},{},{},{:.6f}", CsvField(answer.file), k + 1, CsvField(classes[label]), probability).c_str());
  }
}

Json ToJson(const Prediction& answer, const std::vector<std::string>& classes) {
  Json json = {{"file", answer.file}};
  if (!answer.problem.empty()) json["error"] = answer.problem;
  json["predictions"] = Json::array();
  for (const auto& [label, probability] : answer.top)
    json["predictions"].push_back({{"class", classes[label]}, {"probability", probability}});
  return json;
}

int Run(const Arguments& a) {
  Model model = LoadModel(FindModelFile(a.model));
  const Compute compute = PrepareCompute(a.compute);
  model.network.MoveTo(compute.device);
  const std::vector<std::string> files = ExpandImages(a.images);
  const std::string format = a.json ? "json" : a.format;
  if (format == "csv") std::puts("file,rank,class,probability");
  bool all_readable = true;
  const auto at_once = static_cast<size_t>(EvaluationBatch(model.preprocessing.shape));
  if (format == "json") std::puts("[");
  for (size_t begin = 0; begin < files.size(); begin += at_once) {
    const std::vector<std::string> some(
        files.begin() + static_cast<std::ptrdiff_t>(begin),
        files.begin() + static_cast<std::ptrdiff_t>(std::min(begin + at_once, files.size())));
    const std::vector<Prediction> answers = PredictFiles(model, compute, some, a.top);
    for (size_t i = 0; i < answers.size(); ++i) {
      const Prediction& answer = answers[i];
      if (!answer.problem.empty()) {
        all_readable = false;
        std::fprintf(stderr, "error: '%s' could not be read: %s\n", Printable(answer.file).c_str(),
                     answer.problem.c_str());
      }
      const bool last = begin + i + 1 == files.size();
      if (format == "json")
        std::puts((DumpJson(ToJson(answer, model.classes)) + (last ? "" : ",")).c_str());
      else if (answer.problem.empty() && format == "csv")
        PrintCsv(answer, model.classes);
      else if (answer.problem.empty())
        PrintText(answer, model.classes);
    }
    std::fflush(stdout);
  }
  if (format == "json") std::puts("]");
  return all_readable ? 0 : static_cast<int>(ExitCode::kData);
}

}  // namespace

Command PredictCommand() {
  return {"predict", "Tell the classes of images",
          "  spotter predict runs/cifar10-seed-003-1 cat.jpg dog.png\n"
          "  spotter predict model.safetensors pictures/ --top 1 --format csv\n"
          "  find . -name '*.jpg' | spotter predict model.safetensors -",
          [](CLI::App& app) {
            auto a = std::make_shared<Arguments>();
            app.add_option("model", a->model, "a run's folder or a model file")->required();
            app.add_option("images", a->images, "files, folders, patterns in quotes, or - for a list on standard input")
                ->required();
            app.add_flag("--json", a->json, "the same as --format json: one array");
            const auto given = AddFlags(app, PredictOptions(*a));
            return [a, given] {
              ApplyFlags(*given, PredictOptions(*a));
              return Run(*a);
            };
          }};
}

}  // namespace spotter
