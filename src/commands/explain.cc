// SPDX-License-Identifier: Apache-2.0
// spotter explain: which parts of an image spoke for its class.
#include "evaluate/explain.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "draw/pixels.h"
#include "evaluate/evaluator.h"
#include "evaluate/predictor.h"
#include "report/run_folder.h"
#include "report/tables.h"
#include "train/settings.h"

namespace spotter {
namespace {

struct Arguments {
  std::string model;
  std::vector<std::string> images;
  std::string class_name;
  std::string method = "hirescam";
  std::string output;
  ComputeSettings compute;
};

std::vector<Option> ExplainOptions(Arguments& a) {
  std::vector<Option> list = {{"method", &a.method,
                               "hirescam shows what raised the class's logit; gradcam is its "
                               "better known cousin"}};
  list.front().choices = {"hirescam", "gradcam"};
  for (Option& option : ComputeOptions(a.compute)) list.push_back(std::move(option));
  return list;
}

/// The class to explain, or -1 for the one that is predicted.
int32_t Target(const Arguments& a, const Model& model) {
  if (a.class_name.empty()) return -1;
  const auto found = std::find(model.classes.begin(), model.classes.end(), a.class_name);
  if (found != model.classes.end()) return static_cast<int32_t>(found - model.classes.begin());
  Fail(ExitCode::kUsage, "the model has no class '{}'{}; its classes are {}", a.class_name,
       DidYouMean(a.class_name, model.classes), Join(model.classes, ", "));
}

/// The pictures are shown at a side of about this, in whole multiples of their pixels.
constexpr int kShownSide = 256;

Picture Enlarged(const Picture& picture, int times) {
  Picture large{picture.height * times, picture.width * times, {}};
  large.rgb.reserve(static_cast<size_t>(large.height) * static_cast<size_t>(large.width) * 3);
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x) {
      const uint8_t* pixel = picture.rgb.data() + 3 * (y / times * picture.width + x / times);
      large.rgb.insert(large.rgb.end(), pixel, pixel + 3);
    }
  }
  return large;
}

std::filesystem::path OutputOf(const Arguments& a, const std::string& image) {
  if (!a.output.empty() && a.images.size() == 1 && !IsFolder(a.output)) return a.output;
  const std::filesystem::path file = std::filesystem::path(image).stem().string() + "-explained.png";
  return a.output.empty() ? file : std::filesystem::path(a.output) / file;
}

/// Refuses before any work what would be written over something, or twice.
void CheckOutputs(const Arguments& a) {
  std::set<std::filesystem::path> paths;
  for (const std::string& file : a.images) {
    const auto path = OutputOf(a, file);
    if (PathExists(path)) Fail(ExitCode::kUsage, "'{}' exists already; give another --output", path.string());
    if (!paths.insert(path).second)
      Fail(ExitCode::kUsage, "two of the images would be written to '{}'; explain them one at a time", path.string());
  }
}

int Run(const Arguments& a) {
  CheckOutputs(a);
  Model model = LoadModel(FindModelFile(a.model));
  const Compute compute = PrepareCompute(a.compute);
  model.network.MoveTo(compute.device);
  const int32_t wanted = Target(a, model);
  const auto method = a.method == "gradcam" ? ExplainMethod::kGradCam : ExplainMethod::kHiResCam;
  for (const std::string& file : a.images) {
    const auto path = OutputOf(a, file);
    std::vector<std::string> problems;
    const Dataset image = ReadImageFiles({file}, model.preprocessing, compute.threads, problems);
    if (!problems[0].empty()) Fail(ExitCode::kData, "'{}': {}", file, problems[0]);
    const auto [label, probability] = PredictFiles(model, compute, {file}, 1).front().top.front();
    const std::vector<int64_t> first = {0};
    const std::vector<int32_t> target = {wanted >= 0 ? wanted : static_cast<int32_t>(label)};
    const HeatMap map = ExplainImages(model, image, first, target, compute, method).front();
    const Picture blended =
        BlendHeat({image.shape.height, image.shape.width, image.shape.channels, image.image(0)}, map.values);
    if (path.has_parent_path()) MakeFolders(path.parent_path());
    const int times = std::max(1, kShownSide / std::max(blended.height, blended.width));
    WriteFileAtomically(path, EncodePng(Enlarged(blended, times).view()));
    std::printf("%s: %s %s; what spoke for %s is bright in %s\n", Printable(file).c_str(),
                Printable(model.classes[label]).c_str(), Percent(probability).c_str(),
                Printable(model.classes[static_cast<size_t>(target[0])]).c_str(), Printable(path.string()).c_str());
  }
  return 0;
}

}  // namespace

Command ExplainCommand() {
  return {"explain", "Show which parts of an image spoke for its class, as a heat map over it",
          "  spotter explain runs/cifar10-seed-003-1 photo.jpg\n"
          "  spotter explain model.safetensors photo.jpg --class cat --output why-cat.png",
          [](CLI::App& app) {
            auto a = std::make_shared<Arguments>();
            app.add_option("model", a->model, "a run's folder or a model file")->required();
            app.add_option("image", a->images, "image files")->required();
            app.add_option("--class", a->class_name, "what spoke for this class; for the predicted one unless given");
            app.add_option("--output", a->output,
                           "the picture (of several images: the folder); NAME-explained.png unless given");
            const auto given = AddFlags(app, ExplainOptions(*a));
            return [a, given] {
              ApplyFlags(*given, ExplainOptions(*a));
              return Run(*a);
            };
          }};
}

}  // namespace spotter
