// SPDX-License-Identifier: Apache-2.0
// The engine against Network::Forward and libtorch's autograd in fp32, on the same weights: logits, every parameter's
// gradient, the moving averages. Both get weights and images that bf16 holds; what is left is rounding on the way.
#include "engine/engine.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/test_values.h"

namespace spotter {
namespace {

using kernels::RandomValues;
using kernels::RelativeError;

std::vector<float> Values(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kFloat).contiguous();
  return {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()};
}

struct Case {
  const char* layers;
  FeatureShape input;
  int64_t images;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.layers << " on " << ToString(c.input); }

class EngineTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  }
  static constexpr int64_t kClasses = 10;
  const Case& c = GetParam();

  /// A network with weights that bf16 holds, the same each time.
  Network Make() const {
    Network network(c.layers, c.input, kClasses);
    network.InitializeParameters(3);
    unsigned seed = 10;
    for (Parameter* parameter : network.parameters()) {
      const at::Tensor noise = at::from_blob(RandomValues(parameter->value.numel(), ++seed, 0.2f).data(),
                                             parameter->value.sizes(), at::kFloat)
                                   .clone();
      if (parameter->role == ParameterRole::kWhitening) {
        parameter->value.copy_(noise);
      } else if (parameter->role == ParameterRole::kKernel) {
        parameter->value.copy_(parameter->value.to(at::kBFloat16));
      } else {
        parameter->value.add_(noise.abs());  // variances stay positive
      }
      parameter->value.set_requires_grad(parameter->trainable());
    }
    return network;
  }
  std::vector<float> images_ = RandomValues(c.images * c.input.size(), 1);
  at::Tensor Images() {
    return at::from_blob(images_.data(), {c.images, c.input.height, c.input.width, c.input.channels}, at::kFloat)
        .permute({0, 3, 1, 2});
  }
  at::Tensor gradient_ =
      at::from_blob(RandomValues(c.images * kClasses, 2).data(), {c.images, kClasses}, at::kFloat).clone();
};

/// Root mean square of the difference.
double Error(const at::Tensor& expected, const at::Tensor& found) {
  return (expected.detach() - found.detach()).to(at::kDouble).square().mean().sqrt().item<double>();
}

TEST_P(EngineTest, TrainsAsTheReference) {
  const auto libtorch = [&](const Network& network, at::ScalarType precision) {
    const at::Tensor logits = network.Forward(Images().to(precision), {.training = true, .precision = precision});
    logits.backward(gradient_);
    return logits.detach();
  };
  const Network exact = Make();
  const at::Tensor exact_logits = libtorch(exact, at::kFloat);
  const Network half = Make();
  const at::Tensor half_logits = libtorch(half, at::kBFloat16);

  const Network found = Make();
  Engine engine(found, 2);
  const Pass pass{.images = c.images, .training = true};
  const at::Tensor ours = engine.Forward(Images().to(at::kBFloat16), pass);
  engine.Backward(gradient_);
  // Rounding turns some ReLUs and maxima over, here as in libtorch's own bf16. Winograd's convolutions round five times
  // as coarsely (docs/speed.md): on the whole that may cost up to three times as much.
  const auto expect_as_near = [](const at::Tensor& a, const at::Tensor& b, const at::Tensor& c,
                                 const std::string& name) {
    EXPECT_LT(Error(a, c), 3 * Error(a, b) + 2e-3 * a.detach().abs().mean().item<double>() + 1e-6) << name;
  };
  expect_as_near(exact_logits, half_logits, ours, "logits");
  for (size_t i = 0; i < exact.parameters().size(); ++i) {
    const Parameter& a = *exact.parameters()[i];
    const Parameter& b = *half.parameters()[i];
    const Parameter& c = *found.parameters()[i];
    if (a.trainable()) {
      ASSERT_TRUE(a.value.grad().defined() && b.value.grad().defined() && c.value.grad().defined()) << a.name;
      expect_as_near(a.value.grad(), b.value.grad(), c.value.grad(), a.name);
    } else {
      expect_as_near(a.value, b.value, c.value, a.name);
    }
  }
  // Once more on the same memory: the same.
  const auto all = found.parameters();
  const Parameter& learned = **std::find_if(all.begin(), all.end(), [](const Parameter* p) { return p->trainable(); });
  const std::vector<float> first = Values(learned.value.grad());
  EXPECT_EQ(Values(engine.Forward(Images().to(at::kBFloat16), pass)), Values(ours));
  engine.Backward(gradient_);
  EXPECT_EQ(Values(learned.value.grad()), first);
}

TEST_P(EngineTest, EvaluatesAsTheReference) {
  const Network network = Make();
  const at::NoGradGuard no_grad;
  const at::Tensor expected = network.Forward(Images(), {.training = false, .precision = at::kFloat});
  Engine engine(network, 2);
  EXPECT_LT(RelativeError(Values(expected), Values(engine.Forward(Images().to(at::kBFloat16), {.images = c.images}))),
            0.02);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, EngineTest,
    testing::Values(
        Case{"conv 32 valid relu, maxpool 2, conv 64 valid relu, conv 128 valid relu, maxpool 2, flatten, dense 128 "
             "relu, "
             "dense classes",
             {32, 32, 3},
             8},
        Case{"conv 64 same relu, batchnorm, maxpool 2, conv 128 same, relu, batchnorm, maxpool 2, flatten, dense 64, "
             "relu, "
             "dense classes",
             {16, 16, 3},
             16},
        Case{"conv 24 2 gelu, conv 64 same, maxpool 2, batchnorm, gelu, conv 64 same, batchnorm, gelu, maxpool 3, "
             "flatten, dense classes",
             {20, 20, 3},
             16},
        Case{
            "conv 20 5 same stride 2 relu, avgpool 2, conv 33 same silu, batchnorm, silu, globalavgpool, dense classes",
            {21, 17, 1},
            9},
        Case{"conv 16 same relu, maxpool 3 stride 2, conv 16 elu, batchnorm, tanh, globalmaxpool, dense 7, batchnorm, "
             "relu, dense classes",
             {19, 23, 3},
             11},
        Case{"conv 24 2 whitening gelu, conv 32 same nobias, maxpool 2, batchnorm noscale momentum 0.6 epsilon 1e-12, "
             "gelu, "
             "skip, conv 32 same nobias dirac, batchnorm, gelu, conv 32 same nobias, batchnorm, add, gelu, maxpool 3, "
             "flatten, dense classes nobias unit, scale 1/4",
             {20, 20, 3},
             16},
        Case{"conv 16 same, batchnorm, relu, maxpool 2, conv 40 same, batchnorm, maxpool 3, conv 24 same, batchnorm, "
             "gelu, maxpool 2, flatten, dense classes",
             {27, 25, 3},
             12},
        Case{"skip, conv 3 same, add, conv 20 same relu, skip, skip, conv 20 same, add, relu, conv 20 same, add, "
             "maxpool "
             "2, flatten, skip, dense 720 relu, add, dense classes",
             {13, 12, 3},
             6},
        Case{"flatten, dense 30 gelu, dense classes", {5, 6, 3}, 1}));

}  // namespace
}  // namespace spotter
