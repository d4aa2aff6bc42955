// SPDX-License-Identifier: Apache-2.0
#include "optimize/muon.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

namespace spotter {
namespace {

bool IsFilter(const Parameter& parameter) {
  return parameter.role == ParameterRole::kKernel && parameter.value.dim() == 4;
}

std::vector<Parameter*> Which(const std::vector<Parameter*>& parameters, bool filters) {
  std::vector<Parameter*> found;
  for (Parameter* parameter : parameters) {
    if (IsFilter(*parameter) == filters) found.push_back(parameter);
  }
  return found;
}

}  // namespace

at::Tensor Orthogonalise(const at::Tensor& matrix, at::ScalarType products) {
  constexpr int kSteps = 3;
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  const at::Tensor scaled = (matrix / (matrix.norm() + 1e-7)).to(products);
  const bool tall = matrix.size(0) > matrix.size(1);  // then its transpose, so that the square is the small one
  const at::Tensor x = tall ? scaled.t() : scaled;
  // A step takes x to p(x x^T) x with p(g) = a + b g + c g^2. All p are polynomials of the first x x^T, so that they
  // are multiplied with each other, small as they are, and with x once.
  at::Tensor gram = at::matmul(x, x.t());
  at::Tensor all;
  for (int i = 0; i < kSteps; ++i) {
    at::Tensor p = at::addmm(gram, gram, gram, b, c);
    p.diagonal().add_(a);
    all = i == 0 ? p : at::matmul(p, all);
    if (i + 1 < kSteps) gram = at::matmul(p, at::matmul(gram, p));
  }
  const at::Tensor moved = at::matmul(all, x);
  return (tall ? moved.t() : moved).to(at::kFloat);
}

Muon::Muon(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters, at::ScalarType products)
    : momentum_(settings.muon_momentum), products_(products), others_(settings, Which(parameters, false)) {
  filters_.parameters = Which(parameters, true);
  momenta_ = ZerosLike(filters_);
}

void Muon::Step(const StepRate& rate) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < momenta_.size(); ++i) {
    at::Tensor& w = filters_.parameters[i]->value;
    if (!w.requires_grad()) continue;
    const at::Tensor gradient = w.grad();
    at::add_out(momenta_[i], gradient, momenta_[i], momentum_);
    // The channel last, as it lies in memory: the order of the columns changes nothing but theirs in the result.
    const at::Tensor u = gradient.add(momenta_[i], momentum_).permute({0, 2, 3, 1});
    const at::Tensor moved = Orthogonalise(u.reshape({u.size(0), -1}), products_).view(u.sizes());
    w.mul_(std::sqrt(static_cast<double>(w.size(0))) / w.norm()).sub_(moved.permute({0, 3, 1, 2}), rate.learning_rate);
  }
  filters_.DropGradients();
  others_.Step(rate);
}

NamedState Muon::State() {
  NamedState state = others_.State();
  AppendState("muon/", filters_, momenta_, state);
  return state;
}

}  // namespace spotter
