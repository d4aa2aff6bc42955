// SPDX-License-Identifier: Apache-2.0
#include "export/check.h"

#include <algorithm>
#include <cmath>

#include "augment/batch.h"
#include "base/error.h"
#include "base/files.h"
#include "evaluate/evaluator.h"
#include "evaluate/views.h"
#include "export/browser_program.h"
#include "export/onnx_model.h"
#include "onnx/file.h"
#include "onnx/run.h"

namespace spotter {
namespace {

/// Logits (indices.size(), classes) by what is checked.
using Exported = std::function<std::vector<float>(std::span<const int64_t> indices)>;

ExportCheck Compare(const Exported& exported, const Model& model, const Dataset& data, std::span<const int64_t> indices,
                    int threads, const CheckProgress& progress) {
  const Compute compute{.device = at::kCPU, .precision = at::kFloat, .threads = threads};
  const size_t classes = model.classes.size();
  // Fewer than in evaluation: a graph keeps more maps at once.
  const auto batch = static_cast<size_t>(std::max<int64_t>(EvaluationBatch(data.shape) / 5, 1));
  ExportCheck check{.images = static_cast<int64_t>(indices.size())};
  int64_t model_right = 0;
  int64_t exported_right = 0;
  for (size_t begin = 0; begin < indices.size(); begin += batch) {
    const auto some = indices.subspan(begin, std::min(batch, indices.size() - begin));
    const std::vector<float> ours = ComputeLogits(model.network, model.preprocessing, data, some, compute);
    const std::vector<float> theirs = exported(some);
    for (size_t i = 0; i < ours.size(); ++i) {
      if (!std::isfinite(theirs[i]))
        Fail(ExitCode::kModel, "the file gives an image the logit {}, where the model gives {}; don't use it",
             theirs[i], ours[i]);
      check.largest = std::max(check.largest, std::abs(static_cast<double>(ours[i]) - theirs[i]));
    }
    for (size_t i = 0; i < some.size(); ++i) {
      const auto best = [&](const std::vector<float>& logits) {
        const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * classes);
        return static_cast<int32_t>(std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row);
      };
      const int32_t label = data.labels[static_cast<size_t>(some[i])];
      check.same += best(ours) == best(theirs);
      model_right += best(ours) == label;
      exported_right += best(theirs) == label;
    }
    if (progress) progress(static_cast<int64_t>(begin + some.size()));
  }
  const double n = std::max<double>(static_cast<double>(check.images), 1);
  check.model_accuracy = static_cast<double>(model_right) / n;
  check.exported_accuracy = static_cast<double>(exported_right) / n;
  return check;
}

}  // namespace

ExportCheck CheckOnnx(const std::filesystem::path& file, const Model& model, const Dataset& data,
                      std::span<const int64_t> indices, int threads, const CheckProgress& progress) {
  const onnx::Model read = onnx::Decode(ReadFile(file));
  const onnx::Runner runner(read.graph);
  const Exported exported = [&](std::span<const int64_t> some) {
    const auto values = runner.Run({{read.graph.inputs.front().name, RawImages(data, some)}}, {"logits"});
    const at::Tensor logits = values.at("logits").contiguous();
    return std::vector<float>(logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel());
  };
  return Compare(exported, model, data, indices, threads, progress);
}

ExportCheck CheckModelFile(const std::filesystem::path& file, const Model& model, const Dataset& data,
                           std::span<const int64_t> indices, int threads, const CheckProgress& progress) {
  const Model read = LoadModel(file);
  const Compute compute{.device = at::kCPU, .precision = at::kFloat, .threads = threads};
  const Exported exported = [&](std::span<const int64_t> some) {
    return ComputeLogits(read.network, read.preprocessing, data, some, compute);
  };
  return Compare(exported, model, data, indices, threads, progress);
}

ExportCheck CheckPage(const std::filesystem::path& file, const Model& model, const Dataset& data,
                      std::span<const int64_t> indices, int threads, const CheckProgress& progress) {
  const BrowserProgram program = ReadBrowserProgram(file);
  const LogitsOf forward = [&](const at::Tensor& x) { return RunBrowserProgram(program, x.permute({0, 2, 3, 1})); };
  const Exported exported = [&](std::span<const int64_t> some) {
    const at::InferenceMode inference;
    at::Tensor images =
        at::empty({static_cast<int64_t>(some.size()), data.shape.height, data.shape.width, data.shape.channels});
    WriteBatch(data, some, model.preprocessing, images.data_ptr<float>());
    const at::Tensor logits = ViewLogits(forward, images.permute({0, 3, 1, 2}), model.preprocessing.views).contiguous();
    return std::vector<float>(logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel());
  };
  return Compare(exported, model, data, indices, threads, progress);
}

}  // namespace spotter
