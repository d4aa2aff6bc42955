// SPDX-License-Identifier: Apache-2.0
// The cases of batch norm and of the activation's gradient.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "bench/kernel_case.h"
#include "bench/values.h"
#include "kernels/scratch.h"

namespace spotter {
namespace {

using kernels::Act;

constexpr double kEpsilon = 1e-5;

/// A batch norm with scale 1 and shift 0, for both sides.
struct Norm {
  Norm(int64_t images, int64_t pixels, int64_t channels, int threads)
      : rows{images * pixels, channels},
        scratch(threads),
        x(images, pixels, 1, channels),
        dy(images, pixels, 1, channels),
        out(images, pixels, 1, channels),
        scale(at::ones({channels})),
        shift(at::zeros({channels})) {
    for (Buffer<float>* buffer : {&mean, &variance, &factor, &offset, &sum, &by_x, &constant}) buffer->Get(channels);
  }

  void Forward(Act act) {
    ChannelMoments(rows, x.data(), mean.data(), variance.data(), scratch);
    for (int64_t c = 0; c < rows.channels; ++c) {
      factor.data()[c] = static_cast<float>(1 / std::sqrt(variance.data()[c] + kEpsilon));
      offset.data()[c] = -mean.data()[c] * factor.data()[c];
    }
    ScaleShiftAct(rows, x.data(), factor.data(), offset.data(), act, out.data(), scratch);
  }
  /// As the engine's (engine/norm_op.cc).
  void Backward(Act act) {
    GradientSums(rows, x.data(), dy.data(), factor.data(), offset.data(), mean.data(), act, sum.data(), by_x.data(),
                 scratch);
    const auto n = static_cast<float>(rows.rows);
    for (int64_t c = 0; c < rows.channels; ++c) {
      const float f = factor.data()[c];
      by_x.data()[c] *= -f * f * f / n;
      constant.data()[c] = -f * sum.data()[c] / n - by_x.data()[c] * mean.data()[c];
    }
    ActGradient(rows, x.data(), dy.data(), factor.data(), offset.data(), by_x.data(), constant.data(), act, out.data(),
                scratch);
  }
  std::tuple<at::Tensor, at::Tensor, at::Tensor> Libtorch() const {
    return at::native_batch_norm(x.tensor(), scale, shift, {}, {}, /*training=*/true, 0.1, kEpsilon);
  }

  kernels::RowShape rows;
  kernels::Scratch scratch;
  RandomMap x, dy, out;
  at::Tensor scale, shift;
  Buffer<float> mean, variance, factor, offset, sum, by_x, constant;
};

/// passes: how often the map is read or written.
KernelCase Case(std::string kernel, int64_t images, int64_t pixels, int64_t channels, int passes,
                std::function<KernelCalls()> make) {
  return {.kernel = std::move(kernel),
          .shape = fmt::format("{} pixels x {}", pixels, channels),
          .images = images,
          .bytes = passes * 2.0 * static_cast<double>(images * pixels * channels),
          .make = std::move(make)};
}

}  // namespace

KernelCase NormForwardCase(int64_t images, int64_t pixels, int64_t channels, Act act, int threads) {
  return Case("batch norm" + ActSuffix(act), images, pixels, channels, 3, [=]() -> KernelCalls {
    const auto n = std::make_shared<Norm>(images, pixels, channels, threads);
    const auto ours = [=] {
      n->Forward(act);
      return n->out.tensor();
    };
    return {ours, [=] { return Activate(std::get<0>(n->Libtorch()), act); }};
  });
}

KernelCase NormBackwardCase(int64_t images, int64_t pixels, int64_t channels, Act act, int threads) {
  return Case("batch norm" + ActSuffix(act) + ", gradient", images, pixels, channels, 5, [=]() -> KernelCalls {
    const auto n = std::make_shared<Norm>(images, pixels, channels, threads);
    n->Forward(act);
    const auto ours = [=] {
      n->Backward(act);
      return n->out.tensor();
    };
    const auto [z, mean, deviation] = n->Libtorch();
    const auto libtorch = [=, z = z, mean = mean, deviation = deviation] {
      return std::get<0>(at::native_batch_norm_backward(Derive(n->dy.tensor(), z, act), n->x.tensor(), n->scale, {}, {},
                                                        mean, deviation, /*train=*/true, kEpsilon, {true, true, true}));
    };
    return {ours, libtorch};
  });
}

KernelCase ReluGradientCase(int64_t images, int64_t pixels, int64_t channels, int threads) {
  return Case("relu, gradient and bias gradient", images, pixels, channels, 3, [=]() -> KernelCalls {
    const auto n = std::make_shared<Norm>(images, pixels, channels, threads);
    n->x.tensor().relu_();                  // what comes from a ReLU
    n->out.tensor().copy_(n->dy.tensor());  // ours works in place
    const auto ours = [=] {
      ReluGradient(n->rows, n->x.data(), n->out.data(), n->sum.data(), n->scratch);
      return n->out.tensor();
    };
    const auto libtorch = [=] {
      const at::Tensor dz = Derive(n->dy.tensor(), n->x.tensor(), Act::kRelu);
      dz.sum({0, 2, 3});
      return dz;
    };
    return {ours, libtorch};
  });
}

}  // namespace spotter
