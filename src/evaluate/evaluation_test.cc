// SPDX-License-Identifier: Apache-2.0
#include "evaluate/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spotter {
namespace {

/// One grey pixel an image; the model's logits are (pixel / 255 * 10, 0), so that a lead is in the pixel.
Dataset Pixels(const std::vector<uint8_t>& values, std::vector<int32_t> labels) {
  Dataset data;
  data.shape = {1, 1, 1};
  data.classes = {"a", "b"};
  data.labels = std::move(labels);
  std::shared_ptr<uint8_t[]> pixels(new uint8_t[values.size()]);
  std::copy(values.begin(), values.end(), pixels.get());
  data.pixels = pixels;
  return data;
}

Model LeadModel(double temperature = 1) {
  Model model{{"a", "b"}, {.shape = {1, 1, 1}}, Network("flatten, dense classes", {1, 1, 1}, 2), temperature};
  model.network.parameters()[0]->value.copy_(at::tensor({10.f, 0.f}).reshape({2, 1}));
  model.network.parameters()[1]->value.zero_();
  return model;
}

TEST(Evaluate, IsOfTheLogitsDividedByTheModelsTemperature) {
  const Dataset data = Pixels({255, 255, 0}, {0, 1, 0});
  const std::vector<int64_t> indices = {0, 1};
  const Evaluation e = Evaluate(LeadModel(5), data, indices, {});
  EXPECT_EQ(e.labels, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(e.logits, (std::vector<float>{2, 0, 2, 0}));
  EXPECT_EQ(e.temperature, 5);
  EXPECT_EQ(e.metrics.accuracy, 0.5);
  // Cross-entropy of a lead of x: ln(1 + e^-x) when right, x more when wrong.
  EXPECT_NEAR(e.metrics.loss, std::log1p(std::exp(-2.0)) + 1, 1e-9);
  EXPECT_NEAR(e.loss_uncalibrated, std::log1p(std::exp(-10.0)) + 5, 1e-9);
  EXPECT_NEAR(e.calibration.ece, 1 / (1 + std::exp(-2.0)) - 0.5, 1e-9);
  EXPECT_NEAR(e.ece_uncalibrated, 1 / (1 + std::exp(-10.0)) - 0.5, 1e-9);
}

TEST(Evaluate, JsonHoldsTheMetricsAndTheCalibration) {
  const Json json = ToJson(EvaluateLogits({0, 1}, {4, 0, 4, 0}, 2, 2), {"a", "b"});
  EXPECT_EQ(json.at("accuracy"), 0.5);
  const Json& calibration = json.at("calibration");
  EXPECT_EQ(calibration.at("temperature"), 2.0);
  EXPECT_NEAR(calibration.at("ece").get<double>(), 1 / (1 + std::exp(-2.0)) - 0.5, 1e-9);
  EXPECT_NEAR(calibration.at("ece_uncalibrated").get<double>(), 1 / (1 + std::exp(-4.0)) - 0.5, 1e-9);
  EXPECT_NEAR(calibration.at("loss_uncalibrated").get<double>(), std::log1p(std::exp(-4.0)) + 2, 1e-9);
  ASSERT_EQ(calibration.at("bins").size(), 15u);
  EXPECT_EQ(calibration.at("bins")[13].at("images"), 2);  // 0.881
}

TEST(FitTemperature, OfAModelIsThatOfItsLogitsWhateverItHadBefore) {
  const Dataset data = Pixels({255, 255, 255, 255, 9}, {0, 0, 0, 1, 0});
  std::vector<int64_t> indices;
  for (size_t i = 0; i < kLeastToCalibrate; ++i) indices.push_back(static_cast<int64_t>(i % 4));
  Model model = LeadModel(7);
  FitTemperature(model, data, indices, {});
  EXPECT_NEAR(model.temperature, 10 / std::log(3.0), 1e-9);
  indices.pop_back();
  FitTemperature(model, data, indices, {});
  EXPECT_EQ(model.temperature, 1) << "too few images to tell";
}

}  // namespace
}  // namespace spotter
