// SPDX-License-Identifier: Apache-2.0
#include "optimize/lookahead.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <utility>

namespace spotter {

Lookahead::Lookahead(std::unique_ptr<Optimizer> inner, const std::vector<Parameter*>& parameters, int64_t steps)
    : inner_(std::move(inner)), done_(at::zeros({}, at::kLong)), steps_(steps) {
  all_.parameters = parameters;
  for (const Parameter* parameter : parameters) slow_.push_back(parameter->value.detach().clone());
}

void Lookahead::Step(const StepRate& rate) {
  inner_->Step(rate);
  const at::NoGradGuard no_grad;
  done_ += 1;
  const bool last = rate.progress >= 1;
  if (done_.item<int64_t>() % steps_ == 0) {
    const double decay = std::pow(0.95, static_cast<double>(steps_)) * std::pow(rate.progress, 3);
    for (size_t i = 0; i < slow_.size(); ++i) slow_[i].lerp_(all_.parameters[i]->value, 1 - decay);
  } else if (!last) {
    return;
  }
  for (size_t i = 0; i < slow_.size(); ++i) all_.parameters[i]->value.copy_(slow_[i]);
}

NamedState Lookahead::State() {
  NamedState state = inner_->State();
  AppendState("slow/", all_, slow_, state);
  state.emplace_back("steps/lookahead", done_);
  return state;
}

}  // namespace spotter
