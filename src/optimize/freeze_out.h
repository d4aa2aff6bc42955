// SPDX-License-Identifier: Apache-2.0
// The front of a network learns for a part of the training only: its gradients cost most, and what it learns settles
// first. After FreezeOut (Brock et al., "FreezeOut: Accelerate Training by Progressively Freezing Layers", 2017), where
// the learning rate of what is frozen has come down to its end before; frozen at once, the front keeps the noise of a
// high rate.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/network.h"
#include "optimize/optimizer.h"
#include "optimize/schedule.h"

namespace spotter {

/// A network's parameters, cut behind a layer.
struct Cut {
  std::vector<Parameter*> front;
  std::vector<Parameter*> rest;
};
/// Behind the layer of that name (--freeze-through). Throws Error(kUsage) where there is none, or one of the parts
/// would not learn.
Cut CutBehind(const Network& network, const std::string& layer);

/// The front learns for the first `share` of a training of `epochs` epochs: its learning rate and progress are those of
/// a training that ends then (warm-up, and schedules that don't follow the number of epochs, stay as they are), and from
/// then on it asks for no gradients. Its batch norms still normalise by the batch and move their averages.
class FreezeOut : public Optimizer {
 public:
  /// `share` in (0, 1). An optimizer of the same settings for each part.
  FreezeOut(const Cut& parameters, double share, const OptimizerSettings& settings, const ScheduleSettings& schedule,
            double epochs, at::ScalarType products = at::kFloat);

  void Step(const StepRate& rate) override;
  std::vector<std::pair<std::string, at::Tensor>> State() override;

 private:
  std::vector<Parameter*> front_parameters_;
  double share_;
  ScheduleSettings schedule_;
  double epochs_;
  std::unique_ptr<Optimizer> front_;
  std::unique_ptr<Optimizer> rest_;
};

}  // namespace spotter
