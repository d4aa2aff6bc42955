// SPDX-License-Identifier: Apache-2.0
#include "optimize/sgd.h"

#include <ATen/core/grad_mode.h>

namespace spotter {

Sgd::Kind Sgd::KindOf(const Parameter& parameter) {
  if (parameter.role == ParameterRole::kWhiteningBias) return kWhiteningBias;
  if (parameter.role != ParameterRole::kKernel) return kBiases;
  return parameter.value.dim() == 4 ? kFilters : kHead;
}

Sgd::Sgd(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters) : settings_(settings) {
  for (Parameter* parameter : parameters) {
    if (parameter->trainable()) groups_[KindOf(*parameter)].parameters.push_back(parameter);
  }
  for (size_t kind = 0; kind < kKinds; ++kind) momenta_[kind] = ZerosLike(groups_[kind]);
}

/// The rate that the settings give a kind, before the schedule; 0: none of its own.
double Sgd::OwnRate(Kind kind) const {
  return kind == kFilters ? 0 : kind == kHead ? settings_.head_learning_rate : settings_.bias_learning_rate;
}

/// What is added to the gradient, as a share of the parameter.
double Sgd::WeightDecay(Kind kind, const StepRate& rate) const {
  const double own = OwnRate(kind), decay = settings_.weight_decay;
  if (settings_.name == "muon") {
    const double base = own > 0 ? own : rate.base();
    return base > 0 ? decay / base : 0;
  }
  if (own > 0) return decay * rate.base() / own;
  return kind == kFilters || kind == kHead ? decay : 0;
}

void Sgd::Step(const StepRate& rate) {
  const at::NoGradGuard no_grad;
  for (const Kind kind : {kFilters, kHead, kBiases, kWhiteningBias}) {
    Group& group = groups_[kind];
    const double own = OwnRate(kind);
    double rate_now = own > 0 ? own * rate.factor : rate.learning_rate;
    if (kind == kWhiteningBias) {
      const double epochs = settings_.whitening_bias_epochs;
      rate_now = (own > 0 ? own : rate.base()) * (1 - rate.epoch / epochs);
      if (!(rate.epoch < epochs)) {  // from now on nothing asks for its gradient, nor for any below it
        for (Parameter* parameter : group.parameters) parameter->value.set_requires_grad(false);
        group.DropGradients();
        continue;
      }
    }
    // The buffers start at zero, so that the first step needs no case of its own (it makes them the gradient).
    // Without momentum the kernel refuses them.
    const std::vector<at::Tensor> values = group.Values();
    if (values.empty()) continue;
    const bool moves = settings_.momentum > 0;
    at::_fused_sgd_(values, group.Gradients(), moves ? group.Of(momenta_[kind]) : std::vector<at::Tensor>(),
                    WeightDecay(kind, rate), settings_.momentum, rate_now, /*dampening=*/0, settings_.nesterov && moves,
                    /*maximize=*/false, /*is_first_step=*/false);
    group.DropGradients();
  }
}

NamedState Sgd::State() {
  NamedState state;
  for (size_t kind = 0; kind < kKinds; ++kind) AppendState("momentum/", groups_[kind], momenta_[kind], state);
  return state;
}

}  // namespace spotter
