// SPDX-License-Identifier: Apache-2.0
// The cases of activations that have a kernel of their own, and of the sum of two maps.
#include <fmt/format.h>

#include <memory>

#include "bench/kernel_case.h"
#include "bench/values.h"
#include "kernels/add.h"
#include "kernels/norm.h"
#include "kernels/scratch.h"

namespace spotter {
namespace {

using kernels::Act;

/// A map, the gradient of what an activation makes of it, and room for a result.
struct Rows {
  Rows(int64_t images, int64_t pixels, int64_t channels, int threads)
      : shape{images * pixels, channels},
        scratch(threads),
        x(images, pixels, 1, channels),
        dy(images, pixels, 1, channels),
        out(images, pixels, 1, channels) {}

  kernels::RowShape shape;
  kernels::Scratch scratch;
  RandomMap x, dy, out;
};

/// `maps`: how many are read and written.
KernelCase Case(std::string kernel, int64_t images, int64_t pixels, int64_t channels, int maps, int threads,
                std::function<KernelCalls(std::shared_ptr<Rows>)> make) {
  return {.kernel = std::move(kernel),
          .shape = fmt::format("{} pixels x {}", pixels, channels),
          .images = images,
          .bytes = 2.0 * maps * static_cast<double>(images * pixels * channels),
          .make = [=] { return make(std::make_shared<Rows>(images, pixels, channels, threads)); }};
}

}  // namespace

KernelCase ActivationCase(Act act, int64_t images, int64_t pixels, int64_t channels, int threads) {
  const auto make = [=](const std::shared_ptr<Rows>& r) -> KernelCalls {
    const auto ours = [=] {
      ScaleShiftAct(r->shape, r->x.data(), nullptr, nullptr, act, r->out.data(), r->scratch);
      return r->out.tensor();
    };
    return {ours, [=](at::ScalarType type) {  // Activate would do ReLU in place
              return act == Act::kRelu ? at::relu(r->x.As(type)) : Activate(r->x.As(type), act);
            }};
  };
  return Case(ActName(act), images, pixels, channels, 2, threads, make);
}

KernelCase ActivationGradientCase(Act act, int64_t images, int64_t pixels, int64_t channels, int threads) {
  const auto make = [=](const std::shared_ptr<Rows>& r) -> KernelCalls {
    const auto ours = [=] {
      ActGradient(r->shape, r->x.data(), r->dy.data(), nullptr, nullptr, nullptr, nullptr, act, r->out.data(),
                  r->scratch);
      return r->out.tensor();
    };
    return {ours, [=](at::ScalarType type) { return Derive(r->dy.As(type), r->x.As(type), act); }};
  };
  return Case(ActName(act) + ", gradient", images, pixels, channels, 3, threads, make);
}

KernelCase AddCase(int64_t images, int64_t pixels, int64_t channels, int threads) {
  const auto make = [=](const std::shared_ptr<Rows>& r) -> KernelCalls {
    const auto ours = [=] {
      kernels::AddMaps(r->shape.rows * r->shape.channels, r->x.data(), r->dy.data(), r->out.data(), threads);
      return r->out.tensor();
    };
    return {ours, [=](at::ScalarType type) { return r->x.As(type) + r->dy.As(type); }};
  };
  return Case("add", images, pixels, channels, 3, threads, make);
}

KernelCase ReluGradientCase(int64_t images, int64_t pixels, int64_t channels, int threads) {
  const auto make = [=](const std::shared_ptr<Rows>& r) -> KernelCalls {
    const at::Tensor sum = at::empty({channels});
    r->x.tensor().relu_();                  // what comes from a ReLU
    r->out.tensor().copy_(r->dy.tensor());  // ours works in place
    const auto ours = [=] {
      ReluGradient(r->shape, r->x.data(), r->out.data(), sum.data_ptr<float>(), r->scratch);
      return r->out.tensor();
    };
    const auto libtorch = [=](at::ScalarType type) {
      const at::Tensor gradient = Derive(r->dy.As(type), r->x.As(type), Act::kRelu);
      gradient.sum({0, 2, 3});
      return gradient;
    };
    return {ours, libtorch};
  };
  return Case("relu, gradient and bias gradient", images, pixels, channels, 3, threads, make);
}

}  // namespace spotter
