// SPDX-License-Identifier: Apache-2.0
// The cases of batch norm and of the activation's gradient.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>

#include "bench/kernel_case.h"
#include "bench/values.h"
#include "kernels/norm_pool.h"
#include "kernels/scratch.h"

namespace spotter {
namespace {

using kernels::Act;
using kernels::bf16;
using kernels::PoolShape;

constexpr double kEpsilon = 1e-5;

/// A batch norm with scale 1 and shift 0, for both sides.
struct Norm {
  Norm(const PoolShape& s, Act act, int threads)
      : shape(s),
        act(act),
        rows{s.images * s.height * s.width, s.channels},
        scratch(threads),
        x(s.images, s.height, s.width, s.channels),
        y(s.images, s.out_height(), s.out_width(), s.channels),
        dy(s.images, s.out_height(), s.out_width(), s.channels),
        dx(s.images, s.height, s.width, s.channels),
        scale(at::ones({s.channels})),
        shift(at::zeros({s.channels})) {
    for (Buffer<float>* buffer : {&mean, &variance, &factor, &offset, &sum, &by_x, &constant}) buffer->Get(s.channels);
    best.Get(s.out_values());
    place.Get(s.out_values());
  }
  bool pooled() const { return shape.size > 1; }

  // Forward and backward as the engine's (engine/norm_op.cc).
  void Forward() {
    ChannelMoments(rows, x.data(), mean.data(), variance.data(), scratch);
    for (int64_t c = 0; c < rows.channels; ++c) {
      factor.data()[c] = static_cast<float>(1 / std::sqrt(variance.data()[c] + kEpsilon));
      offset.data()[c] = -mean.data()[c] * factor.data()[c];
    }
    if (pooled()) {
      NormMaxPool(shape, x.data(), factor.data(), offset.data(), act, y.data(), best.data(), place.data(),
                  scratch.threads());
    } else {
      ScaleShiftAct(rows, x.data(), factor.data(), offset.data(), act, y.data(), scratch);
    }
  }
  void Backward() {
    const kernels::RowShape summed{shape.out_values() / shape.channels, shape.channels};
    GradientSums(summed, pooled() ? best.data() : x.data(), dy.data(), factor.data(), offset.data(), mean.data(), act,
                 sum.data(), by_x.data(), scratch);
    const auto n = static_cast<float>(rows.rows);
    for (int64_t c = 0; c < rows.channels; ++c) {
      const float f = factor.data()[c];
      by_x.data()[c] *= -f * f * f / n;
      constant.data()[c] = -f * sum.data()[c] / n - by_x.data()[c] * mean.data()[c];
    }
    if (pooled()) {
      NormMaxPoolGradient(shape, x.data(), dy.data(), best.data(), place.data(), factor.data(), offset.data(),
                          by_x.data(), constant.data(), act, dx.data(), scratch.threads());
    } else {
      ActGradient(rows, x.data(), dy.data(), factor.data(), offset.data(), by_x.data(), constant.data(), act, dx.data(),
                  scratch);
    }
  }

  std::tuple<at::Tensor, at::Tensor, at::Tensor> Normalized() const {
    return at::native_batch_norm(x.tensor(), scale, shift, {}, {}, /*training=*/true, 0.1, kEpsilon);
  }
  std::tuple<at::Tensor, at::Tensor> Pooled(const at::Tensor& activated) const {
    return at::max_pool2d_with_indices(activated, {shape.size, shape.size}, {shape.size, shape.size});
  }

  PoolShape shape;
  Act act;
  kernels::RowShape rows;
  kernels::Scratch scratch;
  RandomMap x, y, dy, dx;
  at::Tensor scale, shift;
  Buffer<float> mean, variance, factor, offset, sum, by_x, constant;
  Buffer<bf16> best;
  Buffer<uint8_t> place;
};

std::string Describe(const PoolShape& s) {
  return fmt::format("{}x{}x{}", s.height, s.width, s.channels) +
         (s.size > 1 ? fmt::format(", window {}", s.size) : "");
}

double InputBytes(const PoolShape& s) { return 2.0 * static_cast<double>(s.images * s.height * s.width * s.channels); }

}  // namespace

KernelCase NormForwardCase(const PoolShape& shape, Act act, int threads) {
  const auto make = [=]() -> KernelCalls {
    const auto n = std::make_shared<Norm>(shape, act, threads);
    const auto ours = [=] {
      n->Forward();
      return n->y.tensor();
    };
    const auto libtorch = [=] {
      const at::Tensor y = Activate(std::get<0>(n->Normalized()), act);
      return n->pooled() ? std::get<0>(n->Pooled(y)) : y;
    };
    return {ours, libtorch};
  };
  // Read for the moments and again; written, and of a pool each maximum's place and what it was before.
  const auto out = static_cast<double>(shape.out_values());
  return {.kernel = "batch norm" + ActSuffix(act) + (shape.size > 1 ? " + max pool" : ""),
          .shape = Describe(shape),
          .images = shape.images,
          .bytes = 2 * InputBytes(shape) + (shape.size > 1 ? 5 : 2) * out,
          .make = make};
}

KernelCase NormBackwardCase(const PoolShape& shape, Act act, int threads) {
  const auto make = [=]() -> KernelCalls {
    const auto n = std::make_shared<Norm>(shape, act, threads);
    n->Forward();
    const auto ours = [=] {
      n->Backward();
      return n->dx.tensor();
    };
    const auto [z, mean, deviation] = n->Normalized();
    const at::Tensor y = Activate(z.clone(), act);
    const at::Tensor where = n->pooled() ? std::get<1>(n->Pooled(y)) : at::Tensor();
    const auto libtorch = [=, z = z, mean = mean, deviation = deviation] {
      const std::array<int64_t, 2> window = {shape.size, shape.size};
      const at::Tensor dy = n->pooled() ? at::max_pool2d_with_indices_backward(n->dy.tensor(), y, window, window,
                                                                               {0, 0}, {1, 1}, false, where)
                                        : n->dy.tensor();
      return std::get<0>(at::native_batch_norm_backward(Derive(dy, z, act), n->x.tensor(), n->scale, {}, {}, mean,
                                                        deviation, /*train=*/true, kEpsilon, {true, true, true}));
    };
    return {ours, libtorch};
  };
  // Without a pool the map and its gradient are read twice; with one, what the pool kept, its places, and the map once.
  const auto out = static_cast<double>(shape.out_values());
  return {.kernel = "batch norm" + ActSuffix(act) + (shape.size > 1 ? " + max pool" : "") + ", gradient",
          .shape = Describe(shape),
          .images = shape.images,
          .bytes = shape.size > 1 ? 2 * InputBytes(shape) + 9 * out : 5 * InputBytes(shape),
          .make = make};
}

KernelCase ReluGradientCase(int64_t images, int64_t pixels, int64_t channels, int threads) {
  const kernels::RowShape rows{images * pixels, channels};
  const auto make = [=]() -> KernelCalls {
    const auto scratch = std::make_shared<kernels::Scratch>(threads);
    const auto y = std::make_shared<RandomMap>(images, pixels, 1, channels);
    const auto dy = std::make_shared<RandomMap>(images, pixels, 1, channels);
    const auto dz = std::make_shared<RandomMap>(images, pixels, 1, channels);
    const at::Tensor sum = at::empty({channels});
    y->tensor().relu_();               // what comes from a ReLU
    dz->tensor().copy_(dy->tensor());  // ours works in place
    const auto ours = [=] {
      ReluGradient(rows, y->data(), dz->data(), sum.data_ptr<float>(), *scratch);
      return dz->tensor();
    };
    const auto libtorch = [=] {
      const at::Tensor gradient = Derive(dy->tensor(), y->tensor(), Act::kRelu);
      gradient.sum({0, 2, 3});
      return gradient;
    };
    return {ours, libtorch};
  };
  return {.kernel = "relu, gradient and bias gradient",
          .shape = fmt::format("{} pixels x {}", pixels, channels),
          .images = images,
          .bytes = 6.0 * static_cast<double>(rows.rows * channels),
          .make = make};
}

}  // namespace spotter
