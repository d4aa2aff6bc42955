// SPDX-License-Identifier: Apache-2.0
// That the maps are PyTorch's, tests/parity/explain_test.cc checks.
#include "evaluate/explain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.h"

namespace spotter {
namespace {

Model ModelOf(const std::string& layers, const ImageShape& shape, int64_t classes) {
  Model model{std::vector<std::string>(static_cast<size_t>(classes), "a class"),
              {.shape = shape},
              Network(layers, {shape.height, shape.width, shape.channels}, classes)};
  model.network.InitializeParameters(3);
  return model;
}

/// Noise.
Dataset ImagesOf(const ImageShape& shape, int64_t images) {
  Dataset data;
  data.shape = shape;
  data.labels.resize(static_cast<size_t>(images));
  const int64_t size = images * shape.size();
  std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(size)]);
  std::mt19937 random(1);
  for (int64_t i = 0; i < size; ++i) pixels[i] = static_cast<uint8_t>(random() >> 24);
  data.pixels = pixels;
  return data;
}

// Draelos and Carin 2020: behind a global average and one dense layer both are the same, class activation mapping.
TEST(ExplainImages, MethodsAgreeBehindAGlobalAverage) {
  const Model model = ModelOf("conv 6 relu, conv 5 tanh, globalavgpool, dense classes", {11, 9, 3}, 3);
  const Dataset data = ImagesOf({11, 9, 3}, 3);
  const std::vector<int64_t> indices = {0, 1, 2};
  const std::vector<int32_t> targets = {0, 1, 2};
  const auto a = ExplainImages(model, data, indices, targets, {});
  const auto b = ExplainImages(model, data, indices, targets, {}, ExplainMethod::kGradCam);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(*std::max_element(a[i].values.begin(), a[i].values.end()), 1);
    EXPECT_GE(*std::min_element(a[i].values.begin(), a[i].values.end()), 0);
    for (size_t k = 0; k < a[i].values.size(); ++k) EXPECT_NEAR(a[i].values[k], b[i].values[k], 1e-5);
  }
}

TEST(ExplainImages, AnImageIsExplainedAsInAnyBatch) {
  const ImageShape shape = {160, 200, 1};  // 16 images a batch
  const Model model = ModelOf("conv 2 relu, maxpool 8, batchnorm, flatten, dropout 0.5, dense classes", shape, 2);
  const Dataset data = ImagesOf(shape, 18);
  std::vector<int64_t> indices(18);
  std::vector<int32_t> targets(18);
  for (int i = 0; i < 18; ++i) {
    indices[static_cast<size_t>(i)] = 17 - i;
    targets[static_cast<size_t>(i)] = i % 2;
  }
  const auto together = ExplainImages(model, data, indices, targets, {});
  ASSERT_EQ(together.size(), 18u);
  for (const size_t i : {0, 15, 16, 17}) {
    const auto alone =
        ExplainImages(model, data, std::span(indices).subspan(i, 1), std::span(targets).subspan(i, 1), {});
    for (size_t k = 0; k < alone[0].values.size(); ++k)
      ASSERT_NEAR(alone[0].values[k], together[i].values[k], 1e-4) << i;
  }
}

// A feature that is never below 0, with a weight below 0 for class 0 and above for class 1.
TEST(ExplainImages, AreZeroWhereNothingSpeaksForTheClass) {
  Model model = ModelOf("conv 1 relu, globalavgpool, dense classes", {6, 6, 1}, 2);
  model.network.parameters()[0]->value.fill_(1);
  model.network.parameters()[2]->value.copy_(at::tensor({-1.f, 1.f}).reshape({2, 1}));
  const std::vector<int64_t> indices = {0, 0};
  const std::vector<int32_t> targets = {0, 1};
  const auto maps = ExplainImages(model, ImagesOf({6, 6, 1}, 1), indices, targets, {});
  EXPECT_EQ(maps[0].values, std::vector<float>(36, 0));
  EXPECT_EQ(*std::max_element(maps[1].values.begin(), maps[1].values.end()), 1);
}

TEST(ExplainImages, LeavesTheGradientsOfANetworkInTrainingAlone) {
  const Model model = ModelOf("conv 2 relu, flatten, dense classes", {6, 6, 1}, 2);
  for (Parameter* parameter : model.network.parameters()) parameter->value.set_requires_grad(true);
  const std::vector<int64_t> indices = {0};
  const std::vector<int32_t> targets = {1};
  EXPECT_EQ(ExplainImages(model, ImagesOf({6, 6, 1}, 1), indices, targets, {}).size(), 1u);
  for (Parameter* parameter : model.network.parameters()) EXPECT_FALSE(parameter->value.grad().defined());
}

TEST(ExplainImages, RefusesANetworkWithoutConvolution) {
  const std::vector<int64_t> indices = {0};
  const std::vector<int32_t> targets = {1};
  try {
    ExplainImages(ModelOf("flatten, dense classes", {6, 6, 1}, 2), ImagesOf({6, 6, 1}, 1), indices, targets, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kModel);
    EXPECT_NE(std::string(error.what()).find("no convolution"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace spotter
