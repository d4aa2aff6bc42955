// SPDX-License-Identifier: Apache-2.0
#include "optimize/optimizer.h"

#include <ATen/core/grad_mode.h>

#include "base/error.h"
#include "base/text.h"
#include "optimize/group.h"
#include "optimize/lookahead.h"
#include "optimize/muon.h"
#include "optimize/sgd.h"

namespace spotter {
namespace {

/// The trained parameters, those with weight decay apart from those without.
std::vector<Group> MakeGroups(const std::vector<Parameter*>& parameters, double weight_decay) {
  std::vector<Group> groups(2);
  groups[0].weight_decay = weight_decay;
  for (Parameter* parameter : parameters) {
    if (parameter->trainable())
      groups[parameter->role == ParameterRole::kKernel ? 0 : 1].parameters.push_back(parameter);
  }
  return groups;
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

  void Step(const StepRate& rate) override {
    const at::NoGradGuard no_grad;
    const auto fused = settings_.name == "adamw" ? AdamW : PlainAdam;
    for (size_t g = 0; g < groups_.size(); ++g) {
      Group& group = groups_[g];
      const Tensors steps = group.Of(steps_[g]);
      if (steps.empty()) continue;
      for (const at::Tensor& step : steps) step.add_(1);
      fused(group, group.Of(averages_[g]), group.Of(squares_[g]), steps, rate.learning_rate, settings_);
      group.DropGradients();
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
  static void PlainAdam(const Group& group, const Tensors& averages, const Tensors& squares, const Tensors& steps,
                        double learning_rate, const OptimizerSettings& s) {
    at::_fused_adam_(group.Values(), group.Gradients(), averages, squares, /*max_exp_avg_sqs=*/{}, steps, learning_rate,
                     s.beta1, s.beta2, group.weight_decay, s.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  static void AdamW(const Group& group, const Tensors& averages, const Tensors& squares, const Tensors& steps,
                    double learning_rate, const OptimizerSettings& s) {
    at::_fused_adamw_(group.Values(), group.Gradients(), averages, squares, /*max_exp_avg_sqs=*/{}, steps,
                      learning_rate, s.beta1, s.beta2, group.weight_decay, s.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
  }

  OptimizerSettings settings_;
  std::vector<Group> groups_;
  std::vector<Tensors> averages_, squares_, steps_;
};

}  // namespace

const std::vector<std::string>& OptimizerNames() {
  static const std::vector<std::string> names = {"adam", "adamw", "muon", "sgd"};
  return names;
}

double UsualLearningRate(const std::string& optimizer) {
  if (optimizer == "muon") return 0.02;
  return optimizer == "sgd" ? 0.01 : 0.001;
}

namespace {

std::unique_ptr<Optimizer> MakePlain(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters,
                                     at::ScalarType products) {
  if (settings.name == "adam" || settings.name == "adamw") return std::make_unique<Adam>(settings, parameters);
  if (settings.name == "muon") return std::make_unique<Muon>(settings, parameters, products);
  if (settings.name == "sgd") return std::make_unique<Sgd>(settings, parameters);
  Fail(ExitCode::kUsage, "no optimizer is called '{}'; the optimizers are {}", settings.name,
       Join(OptimizerNames(), ", "));
}

}  // namespace

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters,
                                         at::ScalarType products) {
  auto optimizer = MakePlain(settings, parameters, products);
  if (settings.lookahead == 0) return optimizer;
  return std::make_unique<Lookahead>(std::move(optimizer), parameters, settings.lookahead);
}

}  // namespace spotter
