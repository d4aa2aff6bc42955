// SPDX-License-Identifier: Apache-2.0
#include "models/network.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/activation.h"
#include "models/layers.h"
#include "models/zoo.h"

namespace spotter {
namespace {

std::string LineOf(const std::string& text, const std::string& word) {
  const size_t at = text.find(word);
  if (at == std::string::npos) return "";
  const size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

// The parameter counts that Keras prints for the network of seed 001 (504,266 in all).
TEST(Summary, SaysWhatKerasSaysOfSeed001) {
  const std::string text = Summary(Network(ResolveModel("seed-001"), {32, 32, 3}, 10));
  EXPECT_NE(LineOf(text, "Total parameters").find("504,266"), std::string::npos) << text;
  EXPECT_NE(LineOf(text, "conv_1").find("896"), std::string::npos) << text;
  EXPECT_NE(LineOf(text, "conv_1").find("(30, 30, 32)"), std::string::npos) << text;
  EXPECT_NE(LineOf(text, "conv_2").find("18,496"), std::string::npos) << text;
  EXPECT_NE(LineOf(text, "conv_3").find("73,856"), std::string::npos) << text;
  EXPECT_NE(LineOf(text, "dense_1").find("409,728"), std::string::npos) << text;
  EXPECT_NE(LineOf(text, "dense_2").find("1,290"), std::string::npos) << text;
  EXPECT_NE(LineOf(text, "maxpool_2").find("(5, 5, 128)"), std::string::npos) << text;
}

TEST(Summary, CountsWhatIsNotTrained) {
  const Network network("conv 6 1, batchnorm, flatten, dense classes", {2, 2, 3}, 4);
  EXPECT_EQ(network.parameter_count(), (3 * 6 + 6) + 4 * 6 + (24 * 4 + 4));
  EXPECT_EQ(network.trainable_parameter_count(), network.parameter_count() - 12);
  EXPECT_NE(Summary(network).find("Not trainable: 12"), std::string::npos);
}

// Two a multiply-add: conv 2 * outputs * taps * channels in, dense 2 * units * inputs.
TEST(Flops, OfSeed001CountedByHand) {
  const int64_t conv1 = 2LL * 30 * 30 * 32 * 9 * 3, conv2 = 2LL * 13 * 13 * 64 * 9 * 32,
                conv3 = 2LL * 11 * 11 * 128 * 9 * 64;
  const int64_t dense1 = 2LL * 3200 * 128, dense2 = 2LL * 128 * 10;
  EXPECT_EQ(Network(ResolveModel("seed-001"), {32, 32, 3}, 10).flops(), conv1 + conv2 + conv3 + dense1 + dense2);
}

TEST(InitializeParameters, IsGlorotUniform) {
  Network network("conv 48 5x3, batchnorm, flatten, dense 64, dense classes", {9, 9, 16}, 10);
  network.InitializeParameters(3);
  int kernels = 0;
  for (const Parameter* parameter : network.parameters()) {
    SCOPED_TRACE(parameter->name);
    const at::Tensor v = parameter->value.to(at::kDouble);
    if (parameter->role == ParameterRole::kKernel) {
      // Fans as Keras counts them, from the shape alone.
      const double taps = v.dim() == 4 ? 15 : 1;
      const double limit = std::sqrt(6 / (taps * static_cast<double>(v.size(0) + v.size(1))));
      const auto n = static_cast<double>(v.numel());
      EXPECT_LE(v.abs().max().item<double>(), limit * (1 + 1e-7));
      EXPECT_GT(v.abs().max().item<double>(), limit * (1 - 20 / n));
      // A uniform distribution's mean and mean square, within four of their standard errors.
      EXPECT_NEAR(v.mean().item<double>(), 0, 4 * limit / std::sqrt(3 * n));
      EXPECT_NEAR((v * v).mean().item<double>() / (limit * limit), 1.0 / 3, 4 * std::sqrt(4.0 / 45 / n));
      ++kernels;
    } else {
      const bool one = parameter->role == ParameterRole::kScale || parameter->role == ParameterRole::kVariance;
      EXPECT_TRUE(v.eq(one ? 1 : 0).all().item<bool>());
    }
  }
  EXPECT_EQ(kernels, 3);
}

// torch.nn.Conv2d's default, U(-a, a) with a = 1 / sqrt(fan_in), then torch.nn.init.dirac_ on the first filters.
TEST(InitializeParameters, DiracIsTheIdentityAndPyTorchsDefault) {
  Network network("conv 40 same nobias dirac, flatten, dense classes", {8, 8, 16}, 10);
  network.InitializeParameters(3);
  const at::Tensor w = network.parameters()[0]->value;
  const double limit = 1 / std::sqrt(9.0 * 16);
  const at::Tensor rest = w.slice(0, 16).abs();
  EXPECT_LE(rest.max().item<double>(), limit * (1 + 1e-7));
  EXPECT_GT(rest.max().item<double>(), 0.99 * limit);
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::rand({2, 16, 8, 8});
  const at::Tensor y = network.layers()[0]->Forward(x, {});
  EXPECT_TRUE(at::allclose(y.slice(1, 0, 16), x));
  EXPECT_GT((y.slice(1, 16, 32) - x).abs().max().item<float>(), 0.1f);
}

TEST(InitializeParameters, UnitHasDeviationOneAndUniformPyTorchsRange) {
  Network network("conv whitening 2, flatten, dense 64 unit, dense 64 uniform, dense classes", {5, 5, 3}, 10);
  network.InitializeParameters(3);
  const auto p = network.parameters();
  EXPECT_NEAR(p[2]->value.std().item<double>(), 1, 1e-6);  // unbiased, as torch.std
  EXPECT_NEAR(p[2]->value.abs().max().item<double>(), std::sqrt(3), 0.02) << "it is uniform";
  EXPECT_LE(p[4]->value.abs().max().item<double>(), 0.125 * (1 + 1e-7));
  EXPECT_GT(p[4]->value.abs().max().item<double>(), 0.1249);
  EXPECT_EQ(p[1]->role, ParameterRole::kWhiteningBias);
  EXPECT_LE(p[1]->value.abs().max().item<double>(), 1 / std::sqrt(12));
  EXPECT_GT(p[1]->value.abs().max().item<double>(), 0.7 / std::sqrt(12));
}

// running = momentum * running + (1 - momentum) * batch's; y = (x - mean) / sqrt(var + epsilon) + bias.
TEST(BatchNorm, KeepsItsMomentumAndAddsItsEpsilon) {
  Network network("batchnorm noscale momentum 0.6 epsilon 0.5, flatten, dense classes", {2, 1, 1}, 2);
  network.InitializeParameters(1);
  const at::Tensor x = at::tensor({1.f, 3.f, 5.f, 7.f}).reshape({2, 1, 2, 1});  // mean 4, variance 5, unbiased 20 / 3
  const at::NoGradGuard no_grad;
  for (const at::ScalarType precision : {at::kFloat, at::kBFloat16}) {
    network.InitializeParameters(1);
    const at::Tensor y = network.layers()[0]->Forward(x.to(precision), {.training = true, .precision = precision});
    EXPECT_NEAR(y.flatten()[0].item<double>(), -3 / std::sqrt(5.5), precision == at::kFloat ? 1e-6 : 1e-2);
    EXPECT_NEAR(network.parameters()[1]->value.item<double>(), 0.4 * 4, 1e-6);
    EXPECT_NEAR(network.parameters()[2]->value.item<double>(), 0.6 + 0.4 * 20 / 3, 1e-5);
  }
}

TEST(SkipAndAdd, AddWhatWasSeenTheLastSkipFirst) {
  // x, remembered; 2 x, remembered; 8 x; 10 x; 20 x; 21 x
  const Network network("skip, scale 2, skip, scale 4, add, scale 2, add, flatten, dense classes", {1, 2, 1}, 2);
  const at::Tensor x = at::tensor({1.f, -3.f}).reshape({1, 1, 1, 2});
  const at::NoGradGuard no_grad;
  for (int again = 0; again < 2; ++again) {
    at::Tensor y = x;
    for (size_t i = 0; i < 7; ++i) y = network.layers()[i]->Forward(y, {});
    EXPECT_TRUE(at::equal(y, 21 * x));
    EXPECT_EQ(x.flatten()[0].item<float>(), 1.f);
  }
}

TEST(InitializeParameters, IsAFunctionOfTheSeed) {
  const auto weights = [](uint64_t seed) {
    Network network("conv 8, flatten, dense 8, dense 8, dense classes", {6, 6, 3}, 8);
    network.InitializeParameters(seed);
    std::vector<at::Tensor> kernels;
    for (Parameter* parameter : network.parameters()) {
      if (parameter->role == ParameterRole::kKernel) kernels.push_back(parameter->value);
    }
    return kernels;
  };
  const auto a = weights(7), again = weights(7), b = weights(8);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(at::equal(a[i], again[i])) << i;
    EXPECT_FALSE(at::equal(a[i], b[i])) << i;
  }
  EXPECT_FALSE(at::equal(a[2], a[3])) << "two layers of one shape start alike";
}

TEST(Dropout, DropsItsShareAndKeepsTheMean) {
  const auto layer = MakeDropout({0, 0, 20000}, 0.3);
  const at::NoGradGuard no_grad;
  at::manual_seed(5);
  const at::Tensor x = at::ones({1, 20000});
  const at::Tensor y = layer->Forward(x, {.training = true});
  const double dropped = y.eq(0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(dropped, 0.3, 4 * std::sqrt(0.3 * 0.7 / 20000));
  EXPECT_FLOAT_EQ(y.max().item<float>(), 1 / 0.7f);
  EXPECT_TRUE(at::equal(layer->Forward(x, {.training = false}), x));
  EXPECT_TRUE(at::equal(MakeDropout({0, 0, 20000}, 0)->Forward(x, {.training = true}), x));
}

// A window half outside the image: TensorFlow pads nothing before and one after for even sizes and stride 2.
TEST(Pools, PaddingNeverCounts) {
  const at::Tensor x = at::tensor({-1.f, -2.f, -3.f, -4.f, -5.f, -6.f, -7.f, -8.f, -9.f}).reshape({1, 1, 3, 3});
  const Window window{.kernel_height = 2, .kernel_width = 2, .stride = 2, .padding = Padding::kSame};
  const at::Tensor largest = MakeMaxPool({3, 3, 1}, window)->Forward(x, {});
  EXPECT_TRUE(at::equal(largest.flatten(), at::tensor({-1.f, -3.f, -7.f, -9.f})));
  const at::Tensor mean = MakeAvgPool({3, 3, 1}, window)->Forward(x, {});
  EXPECT_TRUE(at::allclose(mean.flatten(), at::tensor({-3.f, -4.5f, -7.5f, -9.f})));
}

// Values of the definitions at x = -1.5 and 2: erf for gelu, Keras' slope 0.3 for leakyrelu.
TEST(Activations, AreTheirDefinitions) {
  const auto at_two_points = [](const char* name) {
    const at::Tensor y = FindActivation(name)->apply(at::tensor({-1.5, 2.0}, at::kDouble));
    return std::pair(y[0].item<double>(), y[1].item<double>());
  };
  const auto expect = [&](const char* name, double left, double right) {
    EXPECT_NEAR(at_two_points(name).first, left, 1e-12) << name;
    EXPECT_NEAR(at_two_points(name).second, right, 1e-12) << name;
  };
  const auto phi = [](double x) { return 0.5 * (1 + std::erf(x / std::sqrt(2.0))); };
  expect("relu", 0, 2);
  expect("leakyrelu", -0.45, 2);
  expect("elu", std::exp(-1.5) - 1, 2);
  expect("sigmoid", 1 / (1 + std::exp(1.5)), 1 / (1 + std::exp(-2.0)));
  expect("silu", -1.5 / (1 + std::exp(1.5)), 2 / (1 + std::exp(-2.0)));
  expect("tanh", std::tanh(-1.5), std::tanh(2.0));
  expect("gelu", -1.5 * phi(-1.5), 2 * phi(2.0));
  EXPECT_EQ(Activations().size(), 7u);
  EXPECT_EQ(FindActivation("softmax"), nullptr);
}

TEST(ActivationLayer, LeavesItsInputAsItIs) {
  const Network network("flatten, relu, dense classes", {2, 1, 1}, 2);
  const at::Tensor x = at::tensor({-1.f, 1.f}).reshape({1, 1, 2, 1});
  const at::NoGradGuard no_grad;
  network.layers()[1]->Forward(network.layers()[0]->Forward(x, {}), {});
  EXPECT_EQ(x.min().item<float>(), -1.f);
}

}  // namespace
}  // namespace spotter
