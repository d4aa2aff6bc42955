// SPDX-License-Identifier: Apache-2.0
#include "evaluate/explain.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "augment/batch.h"
#include "base/error.h"
#include "evaluate/evaluator.h"

namespace spotter {
namespace {

using Layers = std::span<const std::unique_ptr<Layer>>;

/// How many layers lead to the features: up to the last convolution; 0 when there is none.
size_t LayersToFeatures(const Network& network) {
  const auto& layers = network.layers();
  const auto last = std::find_if(layers.rbegin(), layers.rend(),
                                 [](const auto& layer) { return layer->name().starts_with("conv_"); });
  return static_cast<size_t>(layers.rend() - last);
}

at::Tensor Forward(Layers layers, at::Tensor x) {
  for (const auto& layer : layers) x = layer->Forward(x, {.training = false, .precision = at::kFloat});
  return x;
}

/// The features (N, C, h, w) of a batch, and the gradient of each image's target logit by them.
struct Explained {
  at::Tensor features;
  at::Tensor gradient;
};

Explained Differentiate(Layers to_features, Layers to_logits, const at::Tensor& x, const at::Tensor& targets) {
  const at::NoGradGuard no_grad;
  const at::Tensor features = Forward(to_features, x).detach().requires_grad_();
  const at::AutoGradMode gradients(true);
  // No image's logits depend on another image, so that the gradient of their sum holds the gradient of each.
  const at::Tensor score = Forward(to_logits, features).gather(1, targets.unsqueeze(1)).sum();
  score.backward(/*gradient=*/{}, /*retain_graph=*/false, /*create_graph=*/false, /*inputs=*/at::TensorList(features));
  return {features.detach(), features.grad()};
}

/// (N, height, width) of features and gradient.
at::Tensor HeatOf(const Explained& e, ExplainMethod method, const ImageShape& shape) {
  const at::Tensor weight = method == ExplainMethod::kGradCam ? e.gradient.mean({2, 3}, /*keepdim=*/true) : e.gradient;
  const at::Tensor map = (weight * e.features).sum(1, /*keepdim=*/true).relu();
  const at::Tensor large =
      at::upsample_bilinear2d(map, {shape.height, shape.width}, /*align_corners=*/false).squeeze(1);
  const at::Tensor largest = large.amax({1, 2}, /*keepdim=*/true);
  return at::where(largest > 0, large / largest, at::zeros_like(large)).to(at::kCPU).contiguous();
}

}  // namespace

bool CanExplain(const Network& network) { return LayersToFeatures(network) > 0; }

std::vector<HeatMap> ExplainImages(const Model& model, const Dataset& data, std::span<const int64_t> indices,
                                   std::span<const int32_t> targets, const Compute& compute, ExplainMethod method) {
  const Layers layers = model.network.layers();
  const size_t split = LayersToFeatures(model.network);
  if (split == 0) {
    Fail(ExitCode::kModel, "the network has no convolution, so that no heat map can be made of it; its layers are '{}'",
         model.network.text());
  }
  const ImageShape& shape = data.shape;
  std::vector<HeatMap> maps;
  const auto batch = static_cast<size_t>(EvaluationBatch(shape));
  for (size_t begin = 0; begin < indices.size(); begin += batch) {
    const auto part = indices.subspan(begin, std::min(batch, indices.size() - begin));
    at::Tensor images = at::empty({static_cast<int64_t>(part.size()), shape.height, shape.width, shape.channels});
    WriteBatch(data, part, model.preprocessing, images.data_ptr<float>());
    at::Tensor wanted = at::empty({static_cast<int64_t>(part.size())}, at::kLong);
    std::copy_n(targets.begin() + static_cast<std::ptrdiff_t>(begin), part.size(), wanted.data_ptr<int64_t>());
    const at::Tensor x = images.to(compute.device).permute({0, 3, 1, 2});
    const at::Tensor heat =
        HeatOf(Differentiate(layers.first(split), layers.subspan(split), x, wanted.to(compute.device)), method, shape);
    const float* values = heat.const_data_ptr<float>();
    for (size_t i = 0; i < part.size(); ++i, values += shape.height * shape.width)
      maps.push_back({shape.height, shape.width, {values, values + shape.height * shape.width}});
  }
  return maps;
}

}  // namespace spotter
