// SPDX-License-Identifier: Apache-2.0
// Lookahead (Zhang et al. 2019), as airbench has it: every few steps the weights become their own moving average.
#pragma once

#include <memory>

#include "optimize/group.h"
#include "optimize/optimizer.h"

namespace spotter {

/// Around another optimizer. After every `steps` steps, over all parameters (moving averages of batch norm too):
///   slow = d * slow + (1 - d) * parameter;  parameter = slow        d = 0.95^steps * progress^3
/// and after the last step of the run parameter = slow. `slow` starts as the parameters are when it is made.
class Lookahead : public Optimizer {
 public:
  Lookahead(std::unique_ptr<Optimizer> inner, const std::vector<Parameter*>& parameters, int64_t steps);

  void Step(const StepRate& rate) override;
  NamedState State() override;

 private:
  std::unique_ptr<Optimizer> inner_;
  Group all_;
  std::vector<at::Tensor> slow_;
  at::Tensor done_;  // steps, int64
  int64_t steps_;
};

}  // namespace spotter
