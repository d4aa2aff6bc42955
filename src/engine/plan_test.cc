// SPDX-License-Identifier: Apache-2.0
// Which layers are joined, and which are not.
#include "engine/plan.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

std::vector<std::string> Names(const char* layers, FeatureShape input = {32, 32, 3}) {
  const Network network(layers, input, 10);
  std::vector<std::string> names;
  for (const Step& step : PlanOf(network)) names.push_back(step.name);
  return names;
}
using Strings = std::vector<std::string>;

TEST(Plan, JoinsWhatOneKernelComputes) {
  EXPECT_EQ(Names("conv 24 2 valid, gelu, conv 64 same, relu, maxpool 2, batchnorm, gelu, maxpool 3, batchnorm, relu, "
                  "maxpool 2, flatten, dense 32, relu, dropout 0.5, dense classes"),
            (Strings{"conv_1 + gelu_1", "conv_2 + relu_1 + maxpool_1", "batchnorm_1 + gelu_2", "maxpool_2",
                     "batchnorm_2 + relu_2 + maxpool_3", "dense_1 + relu_3", "dropout_1", "dense_2"}));
}

TEST(Plan, ReluMayComeBeforeOrBehindThePool) {
  EXPECT_EQ(Names("conv 8 3, conv 8 3, maxpool 2, relu, conv 8 3 relu, maxpool 2, relu, flatten, dense classes"),
            (Strings{"conv_1", "conv_2 + maxpool_1 + relu_1", "conv_3 + maxpool_2", "relu_2", "dense_1"}));
}

TEST(Plan, LeavesApartWhatNoKernelJoins) {
  // A pool of 3 behind a convolution, overlapping windows, an activation behind one that the layer has, GELU and a
  // pool, activations without kernels.
  EXPECT_EQ(Names("conv 16 same relu, conv 16 same relu, maxpool 3, maxpool 3 stride 2, conv 16 same gelu, conv 16 "
                  "same relu, relu, batchnorm, gelu, maxpool 2, batchnorm, tanh, flatten, dense 8 tanh, dense classes"),
            (Strings{"conv_1", "conv_2", "maxpool_1", "maxpool_2", "conv_3", "conv_4", "relu_1", "batchnorm_1 + gelu_1",
                     "maxpool_3", "batchnorm_2", "tanh_1", "dense_1", "dense_2"}));
}

TEST(Plan, KnowsTheShapes) {
  const Network network("conv 24 5 same relu, conv 40 valid relu, maxpool 2, flatten, dense classes", {20, 18, 3}, 10);
  const std::vector<Step> plan = PlanOf(network);
  const auto& first = std::get<PatchConvStep>(plan[0].kind).shape;
  EXPECT_EQ(first.kernel, 5);
  EXPECT_EQ(first.pad, 2);
  const auto& second = std::get<ConvStep>(plan[1].kind);
  EXPECT_TRUE(second.relu && second.shape.pool);
  EXPECT_EQ(second.shape.out_height(), 9);
  EXPECT_EQ(second.shape.out_width(), 8);
  EXPECT_EQ(plan[1].input, (FeatureShape{20, 18, 24}));
  EXPECT_EQ(std::get<DenseStep>(plan[2].kind).shape.in, 9 * 8 * 40);
}

}  // namespace
}  // namespace spotter
