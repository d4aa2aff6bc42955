// SPDX-License-Identifier: Apache-2.0
#include "evaluate/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "engine/engine.h"

namespace spotter {
namespace {

/// Images of 2 x 1 grey pixels: image i is (i % 256, 255 - i % 256).
Dataset Pairs(int64_t images) {
  Dataset data;
  data.shape = {2, 1, 1};
  data.classes = {"a", "b"};
  std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(2 * images)]);
  for (int64_t i = 0; i < images; ++i) {
    pixels[2 * i] = static_cast<uint8_t>(i % 256);
    pixels[2 * i + 1] = static_cast<uint8_t>(255 - i % 256);
    data.labels.push_back(static_cast<int32_t>(i % 2));
  }
  data.pixels = pixels;
  return data;
}

/// Logit 0 is the first input, logit 1 the difference of both.
Network FirstAndDifference() {
  Network network("flatten, dense classes", {2, 1, 1}, 2);
  network.parameters()[0]->value.copy_(at::tensor({1.f, 0.f, 1.f, -1.f}).reshape({2, 2}));
  network.parameters()[1]->value.zero_();
  return network;
}

TEST(ComputeLogits, AreTheNetworksOfEachImageInTheOrderAskedFor) {
  const Dataset data = Pairs(1300);  // more than two batches
  std::vector<int64_t> indices(1300);
  std::iota(indices.rbegin(), indices.rend(), 0);
  const Preprocessing preprocessing{.shape = data.shape, .mean = {0.5f}, .std = {0.25f}};
  std::vector<int64_t> reported;
  const auto logits = ComputeLogits(FirstAndDifference(), preprocessing, data, indices, {},
                                    [&](int64_t done) { reported.push_back(done); });
  ASSERT_EQ(logits.size(), 2600u);
  for (size_t i = 0; i < indices.size(); ++i) {
    const auto pixel = static_cast<double>(indices[i] % 256);
    EXPECT_NEAR(logits[2 * i], (pixel / 255 - 0.5) / 0.25, 1e-5);
    EXPECT_NEAR(logits[2 * i + 1], (2 * pixel - 255) / 255 / 0.25, 1e-5);
  }
  ASSERT_GT(reported.size(), 1u);
  EXPECT_EQ(reported.back(), 1300);
  EXPECT_EQ(LabelsOf(data, indices).front(), 1);
}

TEST(ComputeLogits, DropsNothingAndMovesNoAverages) {
  Network network("flatten, dropout 0.9, batchnorm, dense classes", {2, 1, 1}, 2);
  network.InitializeParameters(1);
  const Dataset data = Pairs(20);
  const std::vector<int64_t> indices = {3, 4, 5};
  const auto once = ComputeLogits(network, {.shape = data.shape}, data, indices, {});
  EXPECT_EQ(once, ComputeLogits(network, {.shape = data.shape}, data, indices, {}));
  EXPECT_EQ(network.parameters()[2]->value.abs().max().item<float>(), 0);
}

TEST(EvaluationBatch, IsSmallerForLargerImages) {
  EXPECT_EQ(EvaluationBatch({8, 8, 3}), 500);
  EXPECT_EQ(EvaluationBatch({32, 32, 3}), 500);
  EXPECT_EQ(EvaluationBatch({224, 224, 3}), 10);
  EXPECT_EQ(EvaluationBatch({4096, 4096, 1}), 1);
}

TEST(Probabilities, AreTheSoftmax) {
  const auto p = Probabilities(std::vector<float>{1, 2, 3});
  const double sum = std::exp(-2) + std::exp(-1) + 1;
  EXPECT_NEAR(p[0], std::exp(-2) / sum, 1e-15);
  EXPECT_NEAR(p[2], 1 / sum, 1e-15);
  EXPECT_EQ(Probabilities(std::vector<float>{3e38f, -3e38f}), (std::vector<double>{1, 0}));
}

TEST(PrepareCompute, DoesAsItIsTold) {
  EXPECT_EQ(PrepareCompute({.device = "cpu", .precision = "fp32", .threads = 1}).precision, at::kFloat);
  EXPECT_EQ(PrepareCompute({.device = "cpu", .precision = "bf16", .threads = 1}).precision, at::kBFloat16);
  EXPECT_EQ(PrepareCompute({.device = "cpu", .precision = "auto", .threads = 1}).precision,
            Engine::RunsHere() ? at::kBFloat16 : at::kFloat);
  EXPECT_EQ(PrepareCompute({.device = "cpu", .threads = 2}).threads, 2);
  EXPECT_GE(PrepareCompute({.device = "cpu"}).threads, 1);
  EXPECT_TRUE(PrepareCompute({.device = "cpu"}).device.is_cpu());
  if (!at::hasCUDA()) {
    try {
      PrepareCompute({.device = "cuda"});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
    }
  }
}

TEST(MostProbable, InOrderTheLowerClassFirstAmongEquals) {
  const std::vector<float> logits = {0, 3, 1, 3};
  const auto top = MostProbable(logits, 3);
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].first, 1U);
  EXPECT_EQ(top[1].first, 3U);
  EXPECT_EQ(top[2].first, 2U);
  EXPECT_NEAR(top[0].second, std::exp(3) / (2 * std::exp(3) + std::exp(1) + 1), 1e-12);
  EXPECT_EQ(MostProbable(logits, 9).size(), 4U);
}

}  // namespace
}  // namespace spotter
