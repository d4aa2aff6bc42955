// SPDX-License-Identifier: Apache-2.0
// What a training does with an engine beside a single step: other batches, new weights, frozen ones, dropout, numbers
// that are none.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <limits>

#include "engine/engine.h"
#include "kernels/test_values.h"

namespace spotter {
namespace {

using kernels::RandomValues;

constexpr FeatureShape kInput{16, 16, 3};
constexpr int64_t kClasses = 10;
constexpr const char* kWhitened =
    "conv 24 2 whitening gelu, conv 32 same nobias, maxpool 2, batchnorm noscale, gelu, conv 40 same relu, maxpool 2, "
    "flatten, dense 20 relu, dense classes";

class EnginePathsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  }

  static Network Make(const char* layers) {
    Network network(layers, kInput, kClasses);
    network.InitializeParameters(3);
    for (Parameter* parameter : network.parameters()) {
      if (parameter->role == ParameterRole::kWhitening) {
        parameter->value.copy_(Values(5, parameter->value.sizes().vec()));
      }
      parameter->value.set_requires_grad(parameter->trainable());
    }
    return network;
  }
  static at::Tensor Values(unsigned seed, const std::vector<int64_t>& sizes) {
    int64_t n = 1;
    for (const int64_t size : sizes) n *= size;
    return at::from_blob(RandomValues(n, seed).data(), sizes, at::kFloat).clone();
  }
  static at::Tensor Images(int64_t n, unsigned seed = 1) {
    return Values(seed, {n, kInput.height, kInput.width, kInput.channels}).permute({0, 3, 1, 2}).to(at::kBFloat16);
  }

  /// The gradients of one step, in the order of the parameters; undefined where there is none.
  static std::vector<at::Tensor> Gradients(const Network& network, Engine& engine, int64_t images) {
    for (Parameter* parameter : network.parameters()) parameter->value.mutable_grad().reset();
    engine.Forward(Images(images), {.images = images, .training = true});
    engine.Backward(Values(2, {images, kClasses}));
    std::vector<at::Tensor> gradients;
    for (const Parameter* parameter : network.parameters()) {
      const at::Tensor& gradient = parameter->value.grad();
      gradients.push_back(gradient.defined() ? gradient.clone() : gradient);
    }
    return gradients;
  }
  static Parameter& Named(const Network& network, const std::string& name) {
    for (Parameter* parameter : network.parameters()) {
      if (parameter->name == name) return *parameter;
    }
    throw std::out_of_range(name);
  }
};

TEST_F(EnginePathsTest, ASmallerBatchLeavesNothingOfTheLargerOne) {
  const Network network = Make(kWhitened);
  Engine used(network, 2);
  Gradients(network, used, 9);
  const auto found = Gradients(network, used, 5);
  Engine fresh(network, 2);
  const auto expected = Gradients(network, fresh, 5);
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(found[i].defined(), expected[i].defined());
    if (expected[i].defined()) EXPECT_TRUE(at::equal(found[i], expected[i])) << network.parameters()[i]->name;
  }
}

TEST_F(EnginePathsTest, NewWeightsAreTaken) {
  const Network network = Make(kWhitened);
  Engine used(network, 2);
  const at::Tensor before = used.Forward(Images(3), {.images = 3});
  for (const char* name : {"conv_2.weight", "conv_3.weight", "dense_1.weight"}) {
    const at::NoGradGuard no_grad;
    Named(network, name).value.mul_(1.5);
  }
  used.ParametersChanged();
  Engine fresh(network, 2);
  const at::Tensor expected = fresh.Forward(Images(3), {.images = 3});
  EXPECT_TRUE(at::equal(used.Forward(Images(3), {.images = 3}), expected));
  EXPECT_FALSE(at::equal(before, expected));
}

// Late in the speed recipe the first layer's bias is frozen: its gradient, and what leads to it, is left out.
TEST_F(EnginePathsTest, FrozenFirstLayerLeavesTheOthersGradients) {
  const Network network = Make(kWhitened);
  Engine engine(network, 2);
  const auto all = Gradients(network, engine, 4);
  const double products = engine.costs()[1].backward_products;
  Named(network, "conv_1.bias").value.set_requires_grad(false);
  const auto found = Gradients(network, engine, 4);
  for (size_t i = 0; i < all.size(); ++i) {
    const Parameter& parameter = *network.parameters()[i];
    if (parameter.name == "conv_1.bias") {
      EXPECT_TRUE(all[i].defined());
      EXPECT_FALSE(found[i].defined());
    } else if (parameter.trainable()) {
      EXPECT_TRUE(at::equal(found[i], all[i])) << parameter.name;
    }
  }
  // Of the second layer the weights' gradient is left.
  EXPECT_EQ(engine.costs()[1].backward_products, 1.5 * products);
  EXPECT_EQ(engine.costs()[0].backward_products, 0);  // a whitening kernel does not learn
}

TEST_F(EnginePathsTest, ManyThreadsDoTheSame) {
  const Network network = Make(kWhitened);
  Engine few(network, 1);
  Engine many(network, 7);
  const auto expected = Gradients(network, few, 3);
  const auto found = Gradients(network, many, 3);
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!expected[i].defined()) continue;
    const double error = ((found[i] - expected[i]).norm() / expected[i].norm()).item<double>();
    EXPECT_LT(error, 0.02) << network.parameters()[i]->name;  // batch norm's sums are added in another order
  }
}

TEST_F(EnginePathsTest, OneImage) {
  const Network network = Make(kWhitened);
  Engine engine(network, 4);
  const at::NoGradGuard no_grad;
  const at::Tensor expected = network.Forward(Images(1).to(at::kFloat), {.training = false});
  const at::Tensor found = engine.Forward(Images(1), {.images = 1});
  EXPECT_LT(((found - expected).norm() / expected.norm()).item<double>(), 0.02);
}

// A run that diverges must be seen to: what is no number stays none, as in libtorch.
TEST_F(EnginePathsTest, NanReachesTheLogits) {
  for (const char* layers :
       {kWhitened, "conv 8 same relu, conv 8 same relu, flatten, dense classes",
        "conv 8 same relu, batchnorm, maxpool 2, conv 8 same, batchnorm, relu, maxpool 2, flatten, dense classes",
        "conv 8 same silu, conv 8 same, maxpool 2, relu, maxpool 3, flatten, dense 8 relu, dense classes"}) {
    for (const float value : {std::numeric_limits<float>::quiet_NaN(), 3e38f}) {
      for (const char* name : {"conv_1.weight", "conv_2.weight"}) {
        const Network network = Make(layers);
        {
          const at::NoGradGuard no_grad;
          at::Tensor& weight = Named(network, name).value;
          std::isnan(value) ? weight.select(0, 1).fill_(value) : weight.sign_().mul_(value);
        }
        Engine engine(network, 2);
        const at::Tensor logits = engine.Forward(Images(4), {.images = 4, .training = true});
        EXPECT_FALSE(at::isfinite(logits).all().item<bool>()) << layers << ", " << name << " " << value;
      }
    }
  }
}

TEST_F(EnginePathsTest, DropoutDropsTheSameBothWaysAndOthersElsewhere) {
  const FeatureShape shape{8, 8, 24};
  const auto zeros = [&](uint64_t place, uint64_t seed, bool backwards) {
    const auto op = MakeDropoutOp(DropoutStep{0.5}, shape, place, 2);
    const Pass pass{.images = 3, .training = true, .seed = seed};
    std::vector<float> ones(static_cast<size_t>(3 * shape.size()), 1);
    std::vector<bf16> x = kernels::AsBf16(ones);
    const bf16* y = op->Forward(x.data(), pass);
    std::vector<bf16> dy = x;
    if (backwards) y = op->Backward(dy.data(), nullptr, true, pass);
    return std::vector<bf16>(y, y + x.size());
  };
  const auto first = zeros(1, 5, false);
  EXPECT_EQ(zeros(1, 5, true), first);
  EXPECT_NE(zeros(2, 5, false), first);  // another layer
  EXPECT_NE(zeros(1, 6, false), first);  // another step
}

}  // namespace
}  // namespace spotter
