// SPDX-License-Identifier: Apache-2.0
// Models and images for tests.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "model_file/model_file.h"

namespace spotter {

/// A network with random weights, moving averages too, so that no layer is without effect.
inline Model RandomModel(const std::string& layers, const ImageShape& shape, int64_t classes) {
  Model model{.classes = {},
              .preprocessing = {.shape = shape, .mean = {0.4f, 0.5f, 0.6f}, .std = {0.2f, 0.25f, 0.3f}},
              .network = Network(layers, {shape.height, shape.width, shape.channels}, classes)};
  for (int64_t c = 0; c < classes; ++c) model.classes.push_back("class " + std::to_string(c));
  model.network.InitializeParameters(1);
  at::manual_seed(1);
  for (Parameter* parameter : model.network.parameters()) {
    if (parameter->role != ParameterRole::kKernel && parameter->role != ParameterRole::kWhitening)
      parameter->value.add_(at::rand(parameter->value.sizes()) * 0.5);
  }
  return model;
}

/// (n, height, width, channels), uint8: noise that is smooth enough to survive a resize.
inline at::Tensor RandomImages(int64_t n, const ImageShape& shape, uint64_t seed) {
  at::manual_seed(seed);
  const at::Tensor coarse = at::rand({n, shape.channels, 4, 4}) * 255;
  const at::Tensor fine = at::upsample_bilinear2d(coarse, {shape.height, shape.width}, false);
  return (fine + at::rand(fine.sizes()) * 40 - 20).clamp(0, 255).to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

}  // namespace spotter
