// SPDX-License-Identifier: Apache-2.0
#include "evaluate/evaluator.h"

#include <algorithm>
#include <cmath>

#include "augment/batch.h"
#include "engine/engine.h"
#include "evaluate/views.h"

namespace spotter {
namespace {

// 500 images of CIFAR-10: enough to fill the cores, few enough for the caches. A large network on large images needs
// gigabytes for that many.
constexpr int64_t kBatchPixels = 500 * 32 * 32;
constexpr int64_t kMostImages = 500;

}  // namespace

int64_t EvaluationBatch(const ImageShape& shape) {
  return std::clamp(kBatchPixels / std::max<int64_t>(int64_t{shape.height} * shape.width, 1), int64_t{1}, kMostImages);
}

Evaluator::Evaluator(const Network& network, const Preprocessing& preprocessing, const Compute& compute)
    : network_(network),
      preprocessing_(preprocessing),
      compute_(compute),
      engine_(EngineRuns(compute) ? std::make_unique<Engine>(network, compute.threads) : nullptr) {}

Evaluator::~Evaluator() = default;

std::vector<float> Evaluator::Logits(const Dataset& data, std::span<const int64_t> indices,
                                     const EvaluateProgress& progress) {
  const at::InferenceMode inference;
  const ForwardContext context{.training = false, .precision = compute_.precision};
  const LogitsOf forward = [&](const at::Tensor& input) {
    return engine_ ? engine_->Forward(input, {.images = input.size(0)}) : network_.Forward(input, context);
  };
  std::vector<float> logits;
  logits.reserve(indices.size() * static_cast<size_t>(network_.classes()));
  const auto batch = static_cast<size_t>(EvaluationBatch(data.shape));
  for (size_t begin = 0; begin < indices.size(); begin += batch) {
    const auto part = indices.subspan(begin, std::min(batch, indices.size() - begin));
    at::Tensor images =
        at::empty({static_cast<int64_t>(part.size()), data.shape.height, data.shape.width, data.shape.channels});
    WriteBatch(data, part, preprocessing_, images.data_ptr<float>());
    // (N, H, W, C) in memory, seen as (N, C, H, W): that is what channels-last means.
    const at::Tensor x = images.to(compute_.device, compute_.precision).permute({0, 3, 1, 2});
    const at::Tensor out = ViewLogits(forward, x, preprocessing_.views).to(at::kCPU).contiguous();
    const float* values = out.const_data_ptr<float>();
    logits.insert(logits.end(), values, values + out.numel());
    if (progress) progress(static_cast<int64_t>(begin + part.size()));
  }
  return logits;
}

std::vector<float> ComputeLogits(const Network& network, const Preprocessing& preprocessing, const Dataset& data,
                                 std::span<const int64_t> indices, const Compute& compute,
                                 const EvaluateProgress& progress) {
  return Evaluator(network, preprocessing, compute).Logits(data, indices, progress);
}

std::vector<int32_t> LabelsOf(const Dataset& data, std::span<const int64_t> indices) {
  std::vector<int32_t> labels;
  labels.reserve(indices.size());
  for (const int64_t index : indices) labels.push_back(data.labels[static_cast<size_t>(index)]);
  return labels;
}

std::vector<double> Probabilities(std::span<const float> logits) {
  std::vector<double> p(logits.begin(), logits.end());
  const double largest = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value - largest);
  for (double& value : p) value /= sum;
  return p;
}

std::vector<std::pair<size_t, double>> MostProbable(std::span<const float> logits, size_t count) {
  const std::vector<double> p = Probabilities(logits);
  std::vector<std::pair<size_t, double>> all;
  for (size_t c = 0; c < p.size(); ++c) all.emplace_back(c, p[c]);
  const auto shown = static_cast<std::ptrdiff_t>(std::min(count, all.size()));
  std::partial_sort(all.begin(), all.begin() + shown, all.end(), [](const auto& a, const auto& b) {
    return a.second > b.second || (a.second == b.second && a.first < b.first);
  });
  all.resize(static_cast<size_t>(shown));
  return all;
}

}  // namespace spotter
