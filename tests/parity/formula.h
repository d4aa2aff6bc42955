// SPDX-License-Identifier: Apache-2.0
// The formula by which make_keras_fixtures.py fills weights and images, so that neither has to be stored. It is
// described there.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "models/network.h"
#include "support/test_support.h"

namespace spotter::parity {

inline uint64_t Fnv1a64(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325;
  for (const unsigned char byte : text) h = (h ^ byte) * 0x100000001b3;
  return h;
}

inline uint64_t SplitMix64(uint64_t x) {
  uint64_t z = x + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

inline uint64_t Hash(const std::string& name, int64_t i) {
  return SplitMix64(Fnv1a64(name) + static_cast<uint64_t>(i));
}
inline double Unit(const std::string& name, int64_t i) { return static_cast<double>(Hash(name, i) >> 11) * 0x1p-53; }

/// A Keras weight by its name, such as "conv_1.kernel", in Keras' own shape and order.
inline at::Tensor KerasWeight(const std::string& name, const std::vector<int64_t>& shape) {
  at::Tensor tensor = at::empty(shape);
  const std::string kind = name.substr(name.find('.') + 1);
  double scale = kind == "bias" ? 0.1 : kind == "beta" ? 0.2 : 0.5;
  if (kind == "kernel") {
    double taps = 1;
    for (size_t i = 0; i + 2 < shape.size(); ++i) taps *= static_cast<double>(shape[i]);
    scale = std::sqrt(6 / (taps * static_cast<double>(shape[shape.size() - 2] + shape.back())));
  }
  const bool positive = kind == "gamma" || kind == "moving_variance";
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    const double u = Unit(name, i);
    tensor.data_ptr<float>()[i] = static_cast<float>(positive ? 0.5 + u : (2 * u - 1) * scale);
  }
  return tensor;
}

/// Pixel values 0..255 as fp32, (N, H, W, C).
inline at::Tensor Pixels(const std::vector<int64_t>& shape) {
  at::Tensor tensor = at::empty(shape);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data_ptr<float>()[i] = static_cast<float>(Hash("images", i) >> 56);
  return tensor;
}

inline std::string KerasName(const Parameter& parameter) {
  const size_t point = parameter.name.find('.');
  const char* kind = parameter.role == ParameterRole::kKernel || parameter.role == ParameterRole::kWhitening ? "kernel"
                     : parameter.role == ParameterRole::kScale                                               ? "gamma"
                     : parameter.role == ParameterRole::kMean ? "moving_mean"
                     : parameter.role == ParameterRole::kBias || parameter.role == ParameterRole::kWhiteningBias
                         ? (parameter.name.starts_with("batchnorm") ? "beta" : "bias")
                         : "moving_variance";
  return parameter.name.substr(0, point + 1) + kind;
}

/// Our tensor's shape as Keras has it, and a Keras tensor as we have it: (h, w, in, out) is (out, in, h, w) here, and
/// (in, out) is (out, in).
inline std::vector<int64_t> KerasShape(const at::Tensor& ours) {
  const auto s = ours.sizes();
  if (s.size() == 4) return {s[2], s[3], s[1], s[0]};
  if (s.size() == 2) return {s[1], s[0]};
  return s.vec();
}
inline at::Tensor FromKeras(const at::Tensor& keras) {
  return keras.dim() == 4 ? keras.permute({3, 2, 0, 1}) : keras.dim() == 2 ? keras.t() : keras;
}

inline void FillByFormula(const Network& network) {
  for (Parameter* parameter : network.parameters()) {
    parameter->value.copy_(FromKeras(KerasWeight(KerasName(*parameter), KerasShape(parameter->value))));
  }
}

inline Json ReadParity(const std::string& name) {
  return Json::parse(ReadText(SourceFolder() / "tests" / "parity" / "keras" / name));
}

inline at::Tensor ToTensor(const Json& rows) {
  std::vector<float> values;
  for (const Json& row : rows) {
    for (const Json& value : row) values.push_back(value.get<float>());
  }
  return at::tensor(values).reshape({static_cast<int64_t>(rows.size()), -1});
}

}  // namespace spotter::parity
