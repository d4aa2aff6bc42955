// SPDX-License-Identifier: Apache-2.0
#include "bench/speed.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

TrainSettings Small() {
  TrainSettings settings;
  settings.model = "conv 8 relu, maxpool 2, flatten, dense classes";
  settings.batch_size = 4;
  settings.data.image_size = 10;
  return settings;
}

TEST(Speed, OfTraining) {
  for (const char* precision : {"fp32", "bf16"}) {
    const Compute compute = PrepareCompute({.device = "cpu", .precision = precision, .threads = 1});
    const auto [speed, profile] =
        TimeTraining(Small(), 3, compute, {.warm_up = 1, .least = 20, .most = 20, .seconds = 0});
    EXPECT_EQ(speed.batch_size, 4);
    EXPECT_EQ(speed.images_per_second.n, 20);
    EXPECT_GT(speed.images_per_second.p10, 0);
    EXPECT_EQ(profile.images, 21 * 4);
    EXPECT_GT(profile.forward, 0);
    EXPECT_EQ(profile.steps.empty(), !EngineRuns(compute)) << precision;
  }
}

TEST(Speed, OfAModelInUse) {
  const Compute compute = PrepareCompute({.device = "cpu", .precision = "fp32", .threads = 1});
  Model model = NoiseModel(Small(), 3);
  EXPECT_EQ(model.network.input_shape(), (FeatureShape{10, 10, 3}));
  const Speed speed = TimeInference(model, 7, compute, {.warm_up = 1, .least = 3, .most = 3, .seconds = 0});
  EXPECT_EQ(speed.batch_size, 7);
  EXPECT_EQ(speed.batch_ms.n, 3);
  EXPECT_GT(speed.batch_ms.p10, 0);
}

}  // namespace
}  // namespace spotter
