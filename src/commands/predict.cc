// SPDX-License-Identifier: Apache-2.0
// spotter predict: the classes of images.
#include <glob.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "evaluate/evaluator.h"
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

struct Answer {
  std::string file;
  std::string problem;                         // empty when the image could be read
  std::vector<std::pair<size_t, double>> top;  // class, probability; the most probable first
};

/// The files in a folder and below, sorted; hidden ones left out.
void AppendFolder(const fs::path& folder, std::vector<std::string>& files) {
  std::vector<std::string> found;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator();
       ++entry) {
    const bool hidden = entry->path().filename().string().starts_with('.');
    if (hidden && entry->is_directory()) entry.disable_recursion_pending();
    if (!hidden && entry->is_regular_file()) found.push_back(entry->path().string());
  }
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

void AppendGlob(const std::string& pattern, std::vector<std::string>& files) {
  glob_t result{};
  const int status = ::glob(pattern.c_str(), 0, nullptr, &result);
  for (size_t i = 0; status == 0 && i < result.gl_pathc; ++i) {
    if (fs::is_directory(result.gl_pathv[i]))
      AppendFolder(result.gl_pathv[i], files);
    else
      files.emplace_back(result.gl_pathv[i]);
  }
  ::globfree(&result);
  if (status != 0)
    Fail(ExitCode::kUsage, "'{}' is neither a file nor a folder, and as a pattern it matches nothing",
         pattern);
}

std::vector<std::string> ExpandImages(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    if (argument == "-") {
      for (std::string line; std::getline(std::cin, line);) {
        if (!Trim(line).empty()) files.emplace_back(Trim(line));
      }
    } else if (fs::is_directory(argument)) {
      AppendFolder(argument, files);
    } else if (fs::exists(argument)) {
      files.push_back(argument);
    } else {
      AppendGlob(argument, files);
    }
  }
  if (files.empty())
    Fail(ExitCode::kData,
         "no images were given: a file, a folder, a pattern in quotes, or - for a list on standard input was "
         "expected");
  return files;
}

/// Reads and predicts some files. Their pixels are a small data set, so that all goes the way of evaluation.
std::vector<Answer> PredictSome(const Model& model, const Compute& compute,
                                const std::vector<std::string>& files, int64_t top) {
  const ImageShape shape = model.preprocessing.shape;
  std::vector<Answer> answers(files.size());
  auto pixels = std::shared_ptr<uint8_t[]>(new uint8_t[files.size() * static_cast<size_t>(shape.size())]());
  ParallelFor(static_cast<int64_t>(files.size()), compute.threads, [&](int64_t i) {
    Answer& answer = answers[static_cast<size_t>(i)];
    answer.file = files[static_cast<size_t>(i)];
    try {
      constexpr size_t kMostBytes = size_t{256} << 20;
      const Image image =
          FitImage(DecodeImage(ReadFile(answer.file, kMostBytes)), shape, model.preprocessing.resize);
      std::copy(image.pixels.begin(), image.pixels.end(), pixels.get() + i * shape.size());
    } catch (const Error& error) {
      answer.problem = error.what();
    }
  });
  Dataset data;
  data.shape = shape;
  data.pixels = pixels;
  data.labels.resize(files.size());
  std::vector<int64_t> readable;
  for (size_t i = 0; i < files.size(); ++i) {
    if (answers[i].problem.empty()) readable.push_back(static_cast<int64_t>(i));
  }
  const auto classes = model.classes.size();
  const auto logits = ComputeLogits(model.network, model.preprocessing, data, readable, compute);
  for (size_t r = 0; r < readable.size(); ++r) {
    const auto p = Probabilities(std::span(logits).subspan(r * classes, classes));
    std::vector<size_t> order(classes);
    std::iota(order.begin(), order.end(), size_t{0});
    const size_t shown = std::min<size_t>(static_cast<size_t>(top), classes);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [&](size_t a, size_t b) { return p[a] > p[b] || (p[a] == p[b] && a < b); });
    for (size_t k = 0; k < shown; ++k)
      answers[static_cast<size_t>(readable[r])].top.emplace_back(order[k], p[order[k]]);
  }
  return answers;
}

void PrintText(const Answer& answer, const std::vector<std::string>& classes) {
  std::string line = Printable(answer.file) + ":";
  for (const auto& [label, probability] : answer.top)
    line += fmt::format("  {} {:.1f} %", Printable(classes[label]), 100 * probability);
  std::puts(line.c_str());
}

void PrintCsv(const Answer& answer, const std::vector<std::string>& classes) {
  for (size_t k = 0; k < answer.top.size(); ++k) {
    const auto& [label, probability] = answer.top[k];
    std::puts(
        fmt::format("{},{},{},{:.6f}", CsvField(answer.file), k + 1, CsvField(classes[label]), probability)
            .c_str());
  }
}

Json ToJson(const Answer& answer, const std::vector<std::string>& classes) {
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
  constexpr size_t kAtOnce = 500;
  if (format == "json") std::puts("[");
  for (size_t begin = 0; begin < files.size(); begin += kAtOnce) {
    const std::vector<std::string> some(
        files.begin() + static_cast<std::ptrdiff_t>(begin),
        files.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kAtOnce, files.size())));
    const std::vector<Answer> answers = PredictSome(model, compute, some, a.top);
    for (size_t i = 0; i < answers.size(); ++i) {
      const Answer& answer = answers[i];
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
            app.add_option("images", a->images,
                           "files, folders, patterns in quotes, or - for a list on standard input")
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
