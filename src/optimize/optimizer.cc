// SPDX-License-Identifier: Apache-2.0
#include "optimize/optimizer.h"

#include <ATen/core/grad_mode.h>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

/// The trained parameters, those with weight decay apart from those without.
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

std::vector<Group> MakeGroups(const std::vector<Parameter*>& parameters, double weight_decay) {
  std::vector<Group> groups(2);
  groups[0].weight_decay = weight_decay;
  for (Parameter* parameter : parameters) {
    if (parameter->trainable())
      groups[parameter->role == ParameterRole::kKernel ? 0 : 1].parameters.push_back(parameter);
  }
  return groups;
}

std::vector<at::Tensor> ZerosLike(const Group& group) {
  std::vector<at::Tensor> zeros;
  for (const Parameter* parameter : group.parameters) zeros.push_back(at::zeros_like(parameter->value.detach()));
  return zeros;
}

using NamedState = std::vector<std::pair<std::string, at::Tensor>>;

void AppendState(const std::string& prefix, const Group& group, const std::vector<at::Tensor>& tensors,
                 NamedState& state) {
  for (size_t i = 0; i < tensors.size(); ++i) state.emplace_back(prefix + group.parameters[i]->name, tensors[i]);
}

/// Adam and AdamW on ATen's fused kernels: one pass over parameters, gradients and both moments.
class Adam : public Optimizer {
 public:
  Adam(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters)
      : settings_(settings), groups_(MakeGroups(parameters, settings.weight_decay)) {
    for (const Group& group : groups_) {
      averages_.push_back(ZerosLike(group));
      squares_.push_back(ZerosLike(group));
      steps_.emplace_back();
      for (size_t i = 0; i < group.parameters.size(); ++i) {
        steps_.back().push_back(at::zeros({}, group.parameters[i]->value.options().requires_grad(false)));
      }
    }
  }

  void Step(double learning_rate) override {
    const at::NoGradGuard no_grad;
    const auto fused = settings_.name == "adamw" ? AdamW : PlainAdam;
    for (size_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].parameters.empty()) continue;
      for (at::Tensor& step : steps_[g]) step.add_(1);
      fused(groups_[g], averages_[g], squares_[g], steps_[g], learning_rate, settings_);
      groups_[g].DropGradients();
    }
  }

  NamedState State() override {
    NamedState state;
    for (size_t g = 0; g < groups_.size(); ++g) {
      AppendState("exp_avg/", groups_[g], averages_[g], state);
      AppendState("exp_avg_sq/", groups_[g], squares_[g], state);
      AppendState("step/", groups_[g], steps_[g], state);
    }
    return state;
  }

 private:
  using Tensors = std::vector<at::Tensor>;
  static void PlainAdam(Group& group, Tensors& averages, Tensors& squares, Tensors& steps, double learning_rate,
                        const OptimizerSettings& s) {
    at::_fused_adam_(group.Values(), group.Gradients(), averages, squares, /*max_exp_avg_sqs=*/{}, steps, learning_rate,
                     s.beta1, s.beta2, group.weight_decay, s.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  static void AdamW(Group& group, Tensors& averages, Tensors& squares, Tensors& steps, double learning_rate,
                    const OptimizerSettings& s) {
    at::_fused_adamw_(group.Values(), group.Gradients(), averages, squares, /*max_exp_avg_sqs=*/{}, steps,
                      learning_rate, s.beta1, s.beta2, group.weight_decay, s.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
  }

  OptimizerSettings settings_;
  std::vector<Group> groups_;
  std::vector<Tensors> averages_, squares_, steps_;
};

class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters)
      : settings_(settings), groups_(MakeGroups(parameters, settings.weight_decay)) {
    for (const Group& group : groups_) momenta_.push_back(ZerosLike(group));
  }

  void Step(double learning_rate) override {
    const at::NoGradGuard no_grad;
    for (size_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].parameters.empty()) continue;
      // The buffers start at zero, so that the first step needs no case of its own (it makes them the gradient).
      // Without momentum the kernel refuses them.
      const at::TensorList buffers = settings_.momentum > 0 ? at::TensorList(momenta_[g]) : at::TensorList();
      at::_fused_sgd_(groups_[g].Values(), groups_[g].Gradients(), buffers, groups_[g].weight_decay, settings_.momentum,
                      learning_rate, /*dampening=*/0, settings_.nesterov && settings_.momentum > 0, /*maximize=*/false,
                      /*is_first_step=*/false);
      groups_[g].DropGradients();
    }
  }

  NamedState State() override {
    NamedState state;
    for (size_t g = 0; g < groups_.size(); ++g) AppendState("momentum/", groups_[g], momenta_[g], state);
    return state;
  }

 private:
  OptimizerSettings settings_;
  std::vector<Group> groups_;
  std::vector<std::vector<at::Tensor>> momenta_;
};

}  // namespace

const std::vector<std::string>& OptimizerNames() {
  static const std::vector<std::string> names = {"adam", "adamw", "sgd"};
  return names;
}

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters) {
  if (settings.name == "adam" || settings.name == "adamw") return std::make_unique<Adam>(settings, parameters);
  if (settings.name == "sgd") return std::make_unique<Sgd>(settings, parameters);
  Fail(ExitCode::kUsage, "no optimizer is called '{}'; the optimizers are {}", settings.name,
       Join(OptimizerNames(), ", "));
}

}  // namespace spotter
