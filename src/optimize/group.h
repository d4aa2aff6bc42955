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

  /// Of the parameters those that are trained now (others are frozen: they ask for no gradient), their gradients, and
  /// of tensors that belong to the parameters one by one those of the same ones; all in the same order.
  std::vector<at::Tensor> Values() const {
    return Trained([](size_t, const Parameter& parameter) { return parameter.value; });
  }
  std::vector<at::Tensor> Gradients() const {
    return Trained([](size_t, const Parameter& parameter) { return parameter.value.grad(); });
  }
  std::vector<at::Tensor> Of(const std::vector<at::Tensor>& tensors) const {
    return Trained([&](size_t i, const Parameter&) { return tensors[i]; });
  }
  void DropGradients() {
    for (Parameter* parameter : parameters) parameter->value.mutable_grad().reset();
  }

 private:
  template <typename Pick>
  std::vector<at::Tensor> Trained(const Pick& pick) const {
    std::vector<at::Tensor> found;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i]->value.requires_grad()) found.push_back(pick(i, *parameters[i]));
    }
    return found;
  }
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
