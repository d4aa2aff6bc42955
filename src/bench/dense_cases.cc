// SPDX-License-Identifier: Apache-2.0
// The cases of dense layers.
#include <fmt/format.h>

#include <memory>

#include "bench/kernel_case.h"
#include "bench/values.h"
#include "kernels/scratch.h"

namespace spotter {
namespace {

using kernels::bf16;
using kernels::DenseShape;

/// A dense layer, for both sides.
struct Dense {
  Dense(const DenseShape& s, int threads)
      : shape(s),
        scratch(threads),
        x(s.images, 1, 1, s.in),
        y(s.images, 1, 1, s.out),
        dx(s.images, 1, 1, s.in),
        weights(at::randn({s.out, s.in})),
        gradient(at::empty({s.out, s.in})) {}

  const bf16* Half() {
    HalveDenseWeights(shape, weights.const_data_ptr<float>(), half.Get(DenseHalfSize(shape)), scratch.threads());
    return half.data();
  }
  static at::Tensor Rows(const RandomMap& map, at::ScalarType type = at::kBFloat16) { return map.As(type).flatten(1); }

  DenseShape shape;
  kernels::Scratch scratch;
  RandomMap x, y, dx;
  at::Tensor weights, gradient;
  Buffer<bf16> half;
};

KernelCase Case(const char* kernel, const DenseShape& shape, int threads,
                std::function<KernelCalls(std::shared_ptr<Dense>)> make) {
  return {.kernel = kernel,
          .shape = fmt::format("{} -> {}", shape.in, shape.out),
          .images = shape.images,
          .products = static_cast<double>(shape.images * shape.in * shape.out),
          .make = [=] { return make(std::make_shared<Dense>(shape, threads)); }};
}

}  // namespace

std::vector<KernelCase> DenseCases(const DenseShape& shape, int threads) {
  const auto forward = [](const std::shared_ptr<Dense>& d) -> KernelCalls {
    const auto ours = [=] {
      DenseForward(d->shape, d->x.data(), d->Half(), nullptr, /*relu=*/false, d->y.data(), d->scratch);
      return Dense::Rows(d->y);
    };
    return {ours, [=](at::ScalarType type) { return at::mm(Dense::Rows(d->x, type), d->weights.to(type).t()); }};
  };
  const auto data = [](const std::shared_ptr<Dense>& d) -> KernelCalls {
    const bf16* half = d->Half();
    const at::Tensor rounded = d->weights.to(at::kBFloat16);
    const auto ours = [=] {
      DenseDataGradient(d->shape, d->y.data(), half, d->dx.data(), d->scratch);
      return Dense::Rows(d->dx);
    };
    return {ours, [=](at::ScalarType type) {
              return at::mm(Dense::Rows(d->y, type), type == at::kBFloat16 ? rounded : d->weights.to(type));
            }};
  };
  const auto weights = [](const std::shared_ptr<Dense>& d) -> KernelCalls {
    const auto ours = [=] {
      DenseWeightGradient(d->shape, d->x.data(), d->y.data(), d->gradient.data_ptr<float>(), d->scratch);
      return d->gradient;
    };
    return {ours, [=](at::ScalarType type) {
              const at::Tensor gradient = at::mm(Dense::Rows(d->y, type).t(), Dense::Rows(d->x, type));
              return type == at::kBFloat16 ? gradient.to(at::kFloat) : gradient;
            }};
  };
  return {Case("dense", shape, threads, forward), Case("dense, data gradient", shape, threads, data),
          Case("dense, weight gradient", shape, threads, weights)};
}

}  // namespace spotter
