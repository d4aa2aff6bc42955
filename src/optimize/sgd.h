// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent: an optimizer by itself, and Muon's for all but the filters.
#pragma once

#include <array>

#include "optimize/group.h"
#include "optimize/optimizer.h"

namespace spotter {

class Sgd : public Optimizer {
 public:
  /// Of `parameters` the trained ones. For Muon's share the weight decay is a step's own, see OptimizerSettings.
  Sgd(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters);

  void Step(const StepRate& rate) override;
  NamedState State() override;

 private:
  enum Kind { kFilters, kHead, kBiases, kWhiteningBias, kKinds };
  static Kind KindOf(const Parameter& parameter);
  double OwnRate(Kind kind) const;
  double WeightDecay(Kind kind, const StepRate& rate) const;

  OptimizerSettings settings_;
  std::array<Group, kKinds> groups_;
  std::array<std::vector<at::Tensor>, kKinds> momenta_;
};

}  // namespace spotter
