// SPDX-License-Identifier: Apache-2.0
// Parameters that an optimizer treats alike, and the named state of a step. For the optimizers' own sources.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "models/layer.h"

namespace spotter {

struct Group {
  std::vector<Parameter*> parameters;
  double weight_decay = 0;

  /// The parameters, in step with their gradients.
  at::TensorList Values() {
    values.clear();
    for (Parameter* parameter : parameters) values.push_back(parameter->value);
    return values;
  }
  at::TensorList Gradients() {
    gradients.clear();
    for (Parameter* parameter : parameters) gradients.push_back(parameter->value.grad());
    return gradients;
  }
  void DropGradients() {
    for (Parameter* parameter : parameters) parameter->value.mutable_grad().reset();
  }

 private:
  std::vector<at::Tensor> values;
  std::vector<at::Tensor> gradients;
};

inline std::vector<at::Tensor> ZerosLike(const Group& group) {
  std::vector<at::Tensor> zeros;
  for (const Parameter* parameter : group.parameters) zeros.push_back(at::zeros_like(parameter->value.detach()));
  return zeros;
}

using NamedState = std::vector<std::pair<std::string, at::Tensor>>;

inline void AppendState(const std::string& prefix, const Group& group, const std::vector<at::Tensor>& tensors,
                        NamedState& state) {
  for (size_t i = 0; i < tensors.size(); ++i) state.emplace_back(prefix + group.parameters[i]->name, tensors[i]);
}

}  // namespace spotter
