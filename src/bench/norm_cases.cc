// SPDX-License-Identifier: Apache-2.0
// The cases of batch norm, with an activation and a pool.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <tuple>

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
    kernels::NormFactors(rows.channels, mean.data(), variance.data(), scale.const_data_ptr<float>(),
                         shift.const_data_ptr<float>(), kEpsilon, factor.data(), offset.data());
    if (pooled()) {
      NormMaxPool(shape, x.data(), factor.data(), offset.data(), act, y.data(), best.data(), place.data(),
                  scratch.threads());
    } else {
      ScaleShiftAct(rows, x.data(), factor.data(), offset.data(), act, y.data(), scratch);
    }
  }
  void Backward() {
    const kernels::RowShape summed{shape.out_values() / shape.channels, shape.channels};
    bf16* dz = IsSmooth(act) && !pooled() ? dx.data() : nullptr;
    GradientSums(summed, pooled() ? best.data() : x.data(), dy.data(), factor.data(), offset.data(), mean.data(), act,
                 sum.data(), by_x.data(), dz, scratch);
    kernels::NormGradientFactors(rows.channels, static_cast<double>(rows.rows), mean.data(), variance.data(), kEpsilon,
                                 factor.data(), sum.data(), by_x.data(), by_x.data(), constant.data(),
                                 /*scale_gradient=*/nullptr);
    if (pooled()) {
      NormMaxPoolGradient(shape, x.data(), dy.data(), best.data(), place.data(), factor.data(), offset.data(),
                          by_x.data(), constant.data(), act, dx.data(), scratch.threads());
    } else {
      ActGradient(rows, x.data(), dz != nullptr ? dz : dy.data(), factor.data(), offset.data(), by_x.data(),
                  constant.data(), dz != nullptr ? kernels::Act::kNone : act, dx.data(), scratch);
    }
  }

  // libtorch's: fp32 statistics and parameters for bf16 maps, fp64 for fp64.
  at::Tensor Parameter(const at::Tensor& value, at::ScalarType type) const {
    return type == at::kBFloat16 ? value : value.to(type);
  }
  std::tuple<at::Tensor, at::Tensor, at::Tensor> Normalized(at::ScalarType type) const {
    return at::native_batch_norm(x.As(type), Parameter(scale, type), Parameter(shift, type), {}, {}, /*training=*/true,
                                 0.1, kEpsilon);
  }
  /// What libtorch's backward pass needs of its forward one.
  struct Kept {
    at::Tensor normalized, mean, deviation, activated, where;
  };
  Kept Keep(at::ScalarType type) const {
    Kept kept;
    std::tie(kept.normalized, kept.mean, kept.deviation) = Normalized(type);
    kept.activated = Activate(kept.normalized.clone(), act);
    if (pooled()) {
      kept.where = IndicesOfPlaces(shape, place.data());
    }
    return kept;
  }
  at::Tensor Gradient(const Kept& kept, at::ScalarType type) const {
    const std::array<int64_t, 2> window = {shape.size, shape.size};
    const at::Tensor unpooled = pooled()
                                    ? at::max_pool2d_with_indices_backward(dy.As(type), kept.activated, window, window,
                                                                           {0, 0}, {1, 1}, false, kept.where)
                                    : dy.As(type);
    return std::get<0>(at::native_batch_norm_backward(Derive(unpooled, kept.normalized, act), x.As(type),
                                                      Parameter(scale, type), {}, {}, kept.mean, kept.deviation,
                                                      /*train=*/true, kEpsilon, {true, true, true}));
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
    const auto libtorch = [=](at::ScalarType type) {
      const at::Tensor y = Activate(std::get<0>(n->Normalized(type)), act);
      const std::array<int64_t, 2> window = {shape.size, shape.size};
      return n->pooled() ? std::get<0>(at::max_pool2d_with_indices(y, window, window)) : y;
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
    const Norm::Kept kept = n->Keep(at::kBFloat16);
    return {ours, [=](at::ScalarType type) { return n->Gradient(type == at::kBFloat16 ? kept : n->Keep(type), type); }};
  };
  // Without a pool the map and its gradient are read twice; with one, what the pool kept, its places, and the map once.
  const auto out = static_cast<double>(shape.out_values());
  return {.kernel = "batch norm" + ActSuffix(act) + (shape.size > 1 ? " + max pool" : "") + ", gradient",
          .shape = Describe(shape),
          .images = shape.images,
          .bytes = shape.size > 1 ? 2 * InputBytes(shape) + 9 * out : 5 * InputBytes(shape),
          .make = make};
}

}  // namespace spotter
