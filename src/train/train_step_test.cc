// SPDX-License-Identifier: Apache-2.0
#include "train/train_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace spotter {
namespace {

/// One step of plain SGD on all images of a data set.
StepResult Step(const Dataset& data, Network& network, double rate, std::vector<double> class_weights,
                double backward_share = 1, const Compute& compute = {}) {
  const Preprocessing preprocessing{.shape = data.shape};
  const auto optimizer = MakeOptimizer({.name = "sgd", .momentum = 0}, network.parameters());
  TrainStep step({.data = data,
                  .preprocessing = preprocessing,
                  .network = network,
                  .optimizer = *optimizer,
                  .augmentation = {},
                  .compute = compute,
                  .backward_share = backward_share,
                  .class_weights = std::move(class_weights)});
  std::vector<int64_t> all(static_cast<size_t>(data.size()));
  std::iota(all.begin(), all.end(), int64_t{0});
  return step.Run(all, 0, 0, {rate});
}

// One image, one dense layer, SGD: the step must be w - rate * (softmax - one-hot) * x, worked out here in double.
TEST(TrainStep, IsGradientDescentOnTheCrossEntropy) {
  Dataset data;
  data.shape = {1, 2, 1};
  data.classes = {"a", "b"};
  data.labels = {1};
  data.pixels = std::shared_ptr<uint8_t[]>(new uint8_t[2]{255, 51});
  Network network("flatten, dense classes", {1, 2, 1}, 2);
  network.parameters()[0]->value.copy_(at::tensor({0.3f, -0.2f, 0.1f, 0.4f}).reshape({2, 2}));
  network.parameters()[1]->value.zero_();
  const StepResult result = Step(data, network, 0.5, {});
  const double x[2] = {1, 0.2}, z[2] = {0.3 * 1 - 0.2 * 0.2, 0.1 * 1 + 0.4 * 0.2};
  const double p0 = 1 / (1 + std::exp(z[1] - z[0]));
  EXPECT_NEAR(result.loss, -std::log(1 - p0), 1e-6);
  EXPECT_EQ(result.correct, 0);
  const double gradient[2] = {p0, -p0};
  const double before[4] = {0.3, -0.2, 0.1, 0.4};
  const at::Tensor weight = network.parameters()[0]->value.detach().contiguous(),
                   bias = network.parameters()[1]->value.detach();
  for (int i = 0; i < 4; ++i)
    EXPECT_NEAR(weight.data_ptr<float>()[i], before[i] - 0.5 * gradient[i / 2] * x[i % 2], 1e-6) << i;
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(bias.data_ptr<float>()[i], -0.5 * gradient[i], 1e-6) << i;
}

TEST(TrainStep, WeighsClasses) {
  // Logits 0 give a loss of log 2 each; with weights the mean is weighted, so that it stays log 2, and the gradient
  // follows the weights.
  Dataset data;
  data.shape = {1, 1, 1};
  data.classes = {"a", "b"};
  data.labels = {0, 1};
  data.pixels = std::shared_ptr<uint8_t[]>(new uint8_t[2]{255, 255});
  Network network("flatten, dense classes", {1, 1, 1}, 2);
  for (Parameter* parameter : network.parameters()) parameter->value.zero_();
  EXPECT_NEAR(Step(data, network, 1, {3, 1}).loss, std::log(2), 1e-6);
  // d loss / d bias[0] = (3 * (1/2 - 1) + 1 * 1/2) / (3 + 1) = -1/4
  EXPECT_NEAR(network.parameters()[1]->value.detach().data_ptr<float>()[0], 0.25, 1e-6);
}

TEST(TrainStep, GoesBackForTheImagesWithTheLargestGradientsAlone) {
  // Three images of one value, logits w * x; the second is furthest from its label.
  Dataset data;
  data.shape = {1, 1, 1};
  data.classes = {"a", "b"};
  data.labels = {0, 1, 0};
  data.pixels = std::shared_ptr<uint8_t[]>(new uint8_t[3]{51, 255, 255});
  Network network("flatten, dense classes nobias", {1, 1, 1}, 2);
  network.parameters()[0]->value.copy_(at::tensor({1.f, 0.f}).reshape({2, 1}));
  const StepResult result = Step(data, network, 1, {}, 1.0 / 3);
  const double p[3] = {1 / (1 + std::exp(-0.2)), 1 / (1 + std::exp(1.0)), 1 / (1 + std::exp(-1.0))};
  EXPECT_NEAR(result.loss, -(std::log(p[0]) + std::log(p[1]) + std::log(p[2])) / 3, 1e-6);  // of all images
  // The gradient of the mean over all three, of the second alone: (softmax - one-hot) * x / 3.
  EXPECT_NEAR(network.parameters()[0]->value.detach().data_ptr<float>()[0], 1 - (1 - p[1]) / 3, 1e-6);
}

TEST(TrainStep, OurKernelsGoBackForTheSameImagesAsLibtorch) {
  if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  constexpr int64_t kImages = 8;
  Dataset data;
  data.shape = {12, 12, 3};
  data.classes = {"a", "b", "c"};
  const std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(kImages * data.shape.size())]);
  data.pixels = pixels;
  std::minstd_rand random(5);
  for (int64_t i = 0; i < kImages * data.shape.size(); ++i) pixels[i] = static_cast<uint8_t>(random() >> 8);
  for (int64_t i = 0; i < kImages; ++i) data.labels.push_back(i % 3);
  // What a step at rate 1 takes away: the gradient.
  const auto gradient = [&](double share, at::ScalarType precision) {
    Network network("conv 16 same relu, maxpool 2, conv 24 same relu, flatten, dense classes", {12, 12, 3}, 3);
    network.InitializeParameters(3);
    const at::Tensor before = network.parameters()[2]->value.detach().clone();
    Step(data, network, 1, {}, share, {.precision = precision, .threads = 2});
    return before - network.parameters()[2]->value.detach();
  };
  const at::Tensor expected = gradient(0.5, at::kFloat);
  EXPECT_LT((gradient(0.5, at::kBFloat16) - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
  EXPECT_GT((gradient(1, at::kFloat) - expected).norm().item<double>(), 0.2 * expected.norm().item<double>());
}

}  // namespace
}  // namespace spotter
