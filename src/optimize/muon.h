// SPDX-License-Identifier: Apache-2.0
// Muon (Jordan et al. 2024), as airbench94 has it: filters are moved by the orthogonal matrix next to their momentum.
#pragma once

#include "optimize/group.h"
#include "optimize/optimizer.h"
#include "optimize/sgd.h"

namespace spotter {

/// Three Newton-Schulz steps from x / (|x| + 1e-7) towards the orthogonal matrix next to x: its singular values come
/// near 1 (0.7 to 1.2), its singular vectors stay. x: (rows, columns), fp32; the products are computed in `products`.
at::Tensor Orthogonalise(const at::Tensor& x, at::ScalarType products);

/// For each filter (a trained kernel of four dimensions) w with gradient g, seen as a matrix (filters, all else):
///   buffer = muon_momentum * buffer + g;  u = g + muon_momentum * buffer
///   w = w * sqrt(filters) / |w| - learning_rate * Orthogonalise(u)
/// All other parameters: Sgd.
class Muon : public Optimizer {
 public:
  Muon(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters, at::ScalarType products);

  void Step(const StepRate& rate) override;
  NamedState State() override;

 private:
  double momentum_;
  at::ScalarType products_;
  Group filters_;
  std::vector<at::Tensor> momenta_;
  Sgd others_;
};

}  // namespace spotter
