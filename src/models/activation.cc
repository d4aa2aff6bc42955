// SPDX-License-Identifier: Apache-2.0
#include "models/activation.h"

namespace spotter {

const std::vector<Activation>& Activations() {
  static const std::vector<Activation> list = {
      {"relu", [](at::Tensor x) { return at::relu_(x); }},
      {"gelu", [](at::Tensor x) { return at::gelu(x, "none"); }},          // the exact one, by erf
      {"silu", [](at::Tensor x) { return at::silu(x); }},                  // also called swish
      {"elu", [](at::Tensor x) { return at::elu(x); }},                    // alpha 1
      {"leakyrelu", [](at::Tensor x) { return at::leaky_relu(x, 0.3); }},  // Keras' LeakyReLU layer: slope 0.3
      {"sigmoid", [](at::Tensor x) { return at::sigmoid(x); }},
      {"tanh", [](at::Tensor x) { return at::tanh(x); }},
  };
  return list;
}

const Activation* FindActivation(std::string_view name) {
  for (const Activation& activation : Activations()) {
    if (activation.name == name) return &activation;
  }
  return nullptr;
}

}  // namespace spotter
