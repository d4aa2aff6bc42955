// SPDX-License-Identifier: Apache-2.0
// The cases of the convolutions.
#include <fmt/format.h>

#include <memory>

#include "bench/kernel_case.h"
#include "bench/values.h"
#include "kernels/conv.h"
#include "kernels/patch_conv.h"
#include "kernels/scratch.h"

namespace spotter {
namespace {

using kernels::Act;
using kernels::bf16;
using kernels::ConvShape;

/// Values of a convolution, for both sides.
struct Conv {
  Conv(const ConvShape& s, int threads)
      : shape(s),
        scratch(threads),
        x(s.images, s.height, s.width, s.in),
        y(s.images, s.out_height(), s.out_width(), s.out),
        weights(at::randn({s.out, s.kernel, s.kernel, s.in})),
        half(weights.to(at::kBFloat16).permute({0, 3, 1, 2})),
        bias(at::randn({s.out})),
        half_bias(bias.to(at::kBFloat16)) {}

  const float* weight_values() const { return weights.const_data_ptr<float>(); }
  at::Tensor Weights(at::ScalarType type) const {
    return type == at::kBFloat16 ? half : weights.to(type).permute({0, 3, 1, 2});
  }

  at::Tensor Convolve(bool with_bias, at::ScalarType type) const {
    const at::Tensor b = with_bias ? (type == at::kBFloat16 ? half_bias : bias.to(type)) : at::Tensor();
    return at::convolution(x.As(type), Weights(type), b, {1, 1}, {shape.pad, shape.pad}, {1, 1}, false, {0, 0}, 1);
  }
  /// Of the type of `dy`.
  at::Tensor Gradient(const at::Tensor& dy, bool data) const {
    const at::ScalarType type = dy.scalar_type();
    const auto gradients =
        at::convolution_backward(dy, x.As(type), Weights(type), std::nullopt, {1, 1}, {shape.pad, shape.pad}, {1, 1},
                                 false, {0, 0}, 1, {data, !data, false});
    return data ? std::get<0>(gradients) : std::get<1>(gradients);
  }
  /// The gradient of the convolution's own output, from that of the pooled one (y's values).
  at::Tensor Unpool(at::ScalarType type) const {
    const at::Tensor dy = y.As(type);
    return shape.pool ? at::max_pool2d_with_indices_backward(dy, convolved.to(type), {2, 2}, {2, 2}, {0, 0}, {1, 1},
                                                             false, where)
                      : dy;
  }
  /// What the backward passes need of the forward one: of the pool, where the maxima were.
  void RunForward() {
    if (!shape.pool) return;
    convolved = Convolve(false, at::kBFloat16);
    bf16* packed = packed_weights.Get(kernels::ConvPackedSize(shape.in, shape.out));
    PackConvForward(shape, weight_values(), packed, scratch.threads());
    const uint32_t* words = argmax.Get(ArgmaxWords(shape));
    ConvForward(shape, x.data(), packed, {}, y.data(), argmax.data(), scratch);
    const int64_t chunks = (shape.out + 31) / 32;
    where = PoolIndices({shape.images, shape.conv_height(), shape.conv_width(), shape.out, 2},
                        [&](int64_t pixel, int64_t c) {
                          const uint32_t* word = words + 2 * (pixel * chunks + c / 32);
                          return int64_t{word[0] >> c % 32 & 1} + 2 * int64_t{word[1] >> c % 32 & 1};
                        });
  }

  ConvShape shape;
  kernels::Scratch scratch;
  RandomMap x, y;
  at::Tensor weights, half, bias, half_bias, convolved, where;
  Buffer<bf16> packed_weights;
  Buffer<uint32_t> argmax;
};

std::string Describe(const ConvShape& s) {
  return fmt::format("{}x{}x{} -> {}, {}x{} {}{}", s.height, s.width, s.in, s.out, s.kernel, s.kernel,
                     s.pad > 0 ? "same" : "valid", s.pool ? ", pool" : "");
}

KernelCase Case(std::string kernel, const ConvShape& shape, std::function<KernelCalls()> make) {
  return {.kernel = std::move(kernel),
          .shape = Describe(shape),
          .images = shape.images,
          .products = static_cast<double>(shape.products()),
          .make = std::move(make)};
}

}  // namespace

KernelCase ConvForwardCase(const ConvShape& shape, bool bias, bool relu, int threads) {
  const std::string kernel = std::string("conv") + (bias ? " + bias" : "") + (relu ? " + relu" : "");
  return Case(kernel, shape, [=]() -> KernelCalls {
    const auto c = std::make_shared<Conv>(shape, threads);
    const auto ours = [=] {
      bf16* packed = c->packed_weights.Get(kernels::ConvPackedSize(shape.in, shape.out));
      PackConvForward(shape, c->weight_values(), packed, threads);
      ConvForward(shape, c->x.data(), packed, {.bias = bias ? c->bias.const_data_ptr<float>() : nullptr, .relu = relu},
                  c->y.data(), shape.pool ? c->argmax.Get(ArgmaxWords(shape)) : nullptr, c->scratch);
      return c->y.tensor();
    };
    const auto libtorch = [=](at::ScalarType type) {
      const at::Tensor y = Activate(c->Convolve(bias, type), relu ? Act::kRelu : Act::kNone);
      return shape.pool ? std::get<0>(at::max_pool2d_with_indices(y, {2, 2}, {2, 2})) : y;
    };
    return {ours, libtorch};
  });
}

KernelCase ConvDataGradientCase(const ConvShape& shape, int threads) {
  return Case("conv, data gradient", shape, [=]() -> KernelCalls {
    const auto c = std::make_shared<Conv>(shape, threads);
    c->RunForward();
    const auto dx = std::make_shared<RandomMap>(shape.images, shape.height, shape.width, shape.in);
    const auto ours = [=] {
      bf16* packed = c->packed_weights.Get(kernels::ConvPackedSize(shape.out, shape.in));
      PackConvDataGradient(shape, c->weight_values(), packed, threads);
      ConvDataGradient(shape, c->y.data(), c->argmax.data(), packed, dx->data(), c->scratch);
      return dx->tensor();
    };
    return {ours, [=](at::ScalarType type) { return c->Gradient(c->Unpool(type), /*data=*/true); }};
  });
}

KernelCase ConvWeightGradientCase(const ConvShape& shape, int threads) {
  return Case("conv, weight gradient", shape, [=]() -> KernelCalls {
    const auto c = std::make_shared<Conv>(shape, threads);
    c->RunForward();
    const at::Tensor dw = at::empty_like(c->weights);
    const at::Tensor unpooled = c->Unpool(at::kBFloat16);
    const auto ours = [=] {
      ConvWeightGradient(shape, c->x.data(), c->y.data(), c->argmax.data(), dw.data_ptr<float>(), c->scratch);
      return dw.permute({0, 3, 1, 2});
    };
    return {ours, [=](at::ScalarType type) {
              return c->Gradient(type == at::kBFloat16 ? unpooled : c->Unpool(type), /*data=*/false);
            }};
  });
}

KernelCase PatchForwardCase(const ConvShape& shape, Act act, int threads) {
  const std::string kernel = "patch conv + bias" + ActSuffix(act);
  return Case(kernel, shape, [=]() -> KernelCalls {
    const auto c = std::make_shared<Conv>(shape, threads);
    const auto z = std::make_shared<RandomMap>(shape.images, shape.out_height(), shape.out_width(), shape.out);
    const bool derived = act != Act::kNone && act != Act::kRelu;  // then training keeps what the activation was of
    const auto ours = [=] {
      bf16* packed = c->packed_weights.Get(kernels::PatchPackedSize(shape));
      PackPatchWeights(shape, c->weight_values(), packed);
      PatchForward(shape, c->x.data(), packed, c->bias.const_data_ptr<float>(), act, derived ? z->data() : nullptr,
                   c->y.data(), c->scratch);
      return c->y.tensor();
    };
    return {ours, [=](at::ScalarType type) { return Activate(c->Convolve(true, type), act); }};
  });
}

KernelCase PatchGradientCase(const ConvShape& shape, Act act, int threads) {
  const bool relu = act == Act::kRelu;
  return Case(std::string("patch conv") + (relu ? " + relu" : "") + ", gradients", shape, [=]() -> KernelCalls {
    const auto c = std::make_shared<Conv>(shape, threads);
    const auto dy = std::make_shared<RandomMap>(shape.images, shape.out_height(), shape.out_width(), shape.out);
    c->y.tensor().relu_();  // the output
    const at::Tensor dw = at::empty_like(c->weights);
    const at::Tensor db = at::empty_like(c->bias);
    const auto ours = [=] {
      PatchWeightGradient(shape, c->x.data(), dy->data(), relu ? c->y.data() : nullptr, dw.data_ptr<float>(),
                          db.data_ptr<float>(), c->scratch);
      return dw.permute({0, 3, 1, 2});
    };
    const auto libtorch = [=](at::ScalarType type) {
      const at::Tensor dz = relu ? Derive(dy->As(type), c->y.As(type), Act::kRelu) : dy->As(type);
      return std::get<1>(at::convolution_backward(dz, c->x.As(type), c->Weights(type), c->bias.sizes(), {1, 1},
                                                  {shape.pad, shape.pad}, {1, 1}, false, {0, 0}, 1,
                                                  {false, true, true}));
    };
    return {ours, libtorch};
  });
}

}  // namespace spotter
