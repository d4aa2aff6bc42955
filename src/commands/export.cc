// SPDX-License-Identifier: Apache-2.0
// spotter export: a model for other programs, tried before it is given out.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "commands/labelled_images.h"
#include "export/check.h"
#include "export/onnx_model.h"
#include "onnx/file.h"
#include "report/progress.h"
#include "report/run_folder.h"
#include "serve/model_facts.h"
#include "serve/model_shelf.h"
#include "serve/standalone_page.h"

namespace spotter {
namespace {

struct Arguments {
  std::string model;
  std::string data;
  std::string onnx;
  std::string safetensors;
  std::string page;
  bool int8 = false;
  int64_t check = 1000;
  int64_t calibrate = 512;
  bool json = false;
  ComputeSettings compute;
};

std::vector<Option> ExportOptions(Arguments& a) {
  std::vector<Option> list = {
      {"check", &a.check, "images on which each file is compared with the model; 0: none", 0, 1e9},
      {"calibrate", &a.calibrate, "with int8: training images that the ranges are measured on", 1, 1e5}};
  for (Option& option : OnlyOptions(ComputeOptions(a.compute), {"threads"})) list.push_back(std::move(option));
  return list;
}

/// So many of them, spread evenly: data may be sorted by class.
std::vector<int64_t> Spread(const std::vector<int64_t>& indices, int64_t count) {
  const auto n = std::min(static_cast<size_t>(count), indices.size());
  std::vector<int64_t> some;
  for (size_t i = 0; i < n; ++i) some.push_back(indices[i * indices.size() / n]);
  return some;
}

std::optional<LabelledImages> ImagesToCheckOn(const Arguments& a, const Model& model, int threads) {
  if (a.check == 0) return {};
  LabelledImages images = LoadLabelledImages(
      {.verb = "export", .model = a.model, .data = a.data, .or_else = "; or export without comparing: --check 0"},
      model, threads);
  images.indices = Spread(images.indices, a.check);
  return images;
}

onnx::Model InInt8(const Arguments& a, const Model& model, int threads) {
  const LabelledImages images =
      LoadLabelledImages({.verb = "export", .model = a.model, .data = a.data, .split = "train"}, model, threads);
  const std::vector<int64_t> indices = Spread(images.indices, a.calibrate);
  ActivityLine line;
  return ToOnnxInt8(model, images.data, indices,
                    [&](int64_t done, int64_t total) { line.Update("calibrating", done, total); });
}

Json ToJson(const ExportCheck& check) {
  return {{"images", check.images},
          {"same_top1", check.same},
          {"largest_logit_difference", check.largest},
          {"model_accuracy", check.model_accuracy},
          {"exported_accuracy", check.exported_accuracy}};
}

std::string Text(const ExportCheck& check) {
  return fmt::format(
      "  compared on {} images: the same class for {}; logits differ by at most {:.1e}\n"
      "  accuracy: the model {:.2f} % (fp32), the file {:.2f} %\n",
      WithThousands(check.images), check.same == check.images ? "all" : WithThousands(check.same), check.largest,
      100 * check.model_accuracy, 100 * check.exported_accuracy);
}

/// A file that finds the model's class for a smaller share of the images is warned of.
constexpr double kEnough = 0.98;

/// What is written, one after another, and what is said of it.
class Exports {
 public:
  Exports(const Arguments& a, const Model& model, const std::optional<LabelledImages>& images, int threads)
      : a_(a), model_(model), images_(images), threads_(threads) {}

  template <typename Check>
  void Add(const std::string& file, const std::string& format, const Check& check) {
    const auto bytes = std::filesystem::file_size(file);
    Json json = {{"file", file}, {"format", format}, {"bytes", bytes}};
    std::string text = fmt::format("{}: {}, {}\n", file, format, HumanBytes(static_cast<double>(bytes)));
    if (images_) {
      ActivityLine line;
      const auto total = static_cast<int64_t>(images_->indices.size());
      const ExportCheck result = check(file, model_, images_->data, images_->indices, threads_,
                                       [&](int64_t done) { line.Update("comparing", done, total); });
      json["check"] = ToJson(result);
      text += Text(result);
      if (static_cast<double>(result.same) < kEnough * static_cast<double>(result.images)) {
        std::fprintf(stderr, "warning: '%s' finds another class than the model for %s of %s images\n",
                     Printable(file).c_str(), WithThousands(result.images - result.same).c_str(),
                     WithThousands(result.images).c_str());
      }
    }
    if (!a_.json) std::printf("%s", text.c_str());
    std::fflush(stdout);
    list_.push_back(std::move(json));
  }
  const Json& list() const { return list_; }

 private:
  const Arguments& a_;
  const Model& model_;
  const std::optional<LabelledImages>& images_;
  int threads_;
  Json list_ = Json::array();
};

int Run(const Arguments& a) {
  if (a.onnx.empty() && a.safetensors.empty() && a.page.empty())
    Fail(ExitCode::kUsage, "what to export is missing: --onnx FILE, --page FILE, --safetensors FILE");
  if (a.int8 && a.onnx.empty()) Fail(ExitCode::kUsage, "--int8 is a form of the ONNX file; give --onnx FILE too");
  const Model model = LoadModel(FindModelFile(a.model));
  const Compute compute = PrepareCompute(a.compute);
  const std::optional<LabelledImages> images = ImagesToCheckOn(a, model, compute.threads);
  Exports exports(a, model, images, compute.threads);
  if (!a.onnx.empty()) {
    WriteFileAtomically(a.onnx, onnx::Encode(a.int8 ? InInt8(a, model, compute.threads) : ToOnnx(model)));
    exports.Add(a.onnx, a.int8 ? "ONNX, opset 13, int8" : "ONNX, opset 13", CheckOnnx);
  }
  if (!a.page.empty()) {
    const std::string name = ParseModelSources({a.model}).front().name;
    WriteFileAtomically(a.page, StandalonePage(model, DescribeModel(name, "1", model)));
    exports.Add(a.page, "web page", CheckPage);
  }
  if (!a.safetensors.empty()) {
    SaveModel(a.safetensors, model);
    exports.Add(a.safetensors, "safetensors", CheckModelFile);
  }
  if (a.json) std::puts(DumpJson({{"model", a.model}, {"exports", exports.list()}}, 2).c_str());
  return 0;
}

}  // namespace

Command ExportCommand() {
  return {
      "export", "Take a model elsewhere: as ONNX, a web page or safetensors, compared with the model on real images",
      "  spotter export runs/cifar10-speed-1 --onnx model.onnx\n"
      "  spotter export runs/cifar10-speed-1 --onnx small.onnx --int8\n"
      "  spotter export runs/pets-3 --page pets.html    # classifies in the browser, without a server\n"
      "  spotter export model.safetensors my-pictures/ --onnx model.onnx --check 200",
      [](CLI::App& app) {
        auto a = std::make_shared<Arguments>();
        app.add_option("model", a->model, "a run's folder or a model file")->required();
        app.add_option("data", a->data, "images to compare on; the run's own test images unless given");
        app.add_option("--onnx", a->onnx, "write an ONNX model to this file")->type_name("FILE");
        app.add_flag("--int8", a->int8,
                     "with --onnx: weights and products of 8-bit integers, calibrated on training images");
        app.add_option("--page", a->page, "write one HTML file that classifies images by itself")->type_name("FILE");
        app.add_option("--safetensors", a->safetensors, "write the model as one safetensors file")->type_name("FILE");
        app.add_flag("--json", a->json, "print one JSON object");
        const auto given = AddFlags(app, ExportOptions(*a));
        return [a, given] {
          ApplyFlags(*given, ExportOptions(*a));
          return Run(*a);
        };
      }};
}

}  // namespace spotter
