// SPDX-License-Identifier: Apache-2.0
// Six views against PyTorch are in tests/parity; here is which images get them, and that each is by itself.
#include "evaluate/views.h"

#include <gtest/gtest.h>

#include <numeric>

#include "evaluate/evaluator.h"

namespace spotter {
namespace {

/// Three classes; sensitive to where things are.
Network Position(const FeatureShape& shape) {
  Network network("flatten, dense classes", shape, 3);
  network.InitializeParameters(4);
  return network;
}

LogitsOf Plain(const Network& network) {
  return [&](const at::Tensor& x) { return network.Forward(x, {}); };
}

/// The weights of the views, counted by hand on one row: a network that reads its second pixel alone. Reflection about
/// the border pixel: 1 5 3 8 moved right is 5 1 5 3, moved left 5 3 8 3; mirrored 8 3 5 1, 3 5 1 5 and 3 8 3 5.
TEST(ViewLogits, WeighsTheViews) {
  Network network("flatten, dense classes", {2, 4, 1}, 2);
  for (Parameter* parameter : network.parameters()) parameter->value.zero_();
  network.parameters()[0]->value[0][1] = 1;
  const at::Tensor row = at::tensor({1.f, 5.f, 3.f, 8.f});
  const at::Tensor x = at::stack({row, row}).reshape({1, 1, 2, 4});
  const auto logit = [&](int count) { return ViewLogits(Plain(network), x, {.count = count})[0][0].item<float>(); };
  EXPECT_FLOAT_EQ(logit(1), 5);
  EXPECT_FLOAT_EQ(logit(2), (5 + 3) / 2.0f);
  EXPECT_FLOAT_EQ(logit(6), (5 + 3) / 4.0f + (1 + 5 + 3 + 8) / 8.0f);
}

TEST(ViewLogits, OnlyUnsureImagesGetTheOthers) {
  const Network network = Position({4, 5, 3});
  at::manual_seed(1);
  const at::Tensor x = at::randn({40, 3, 4, 5});
  const at::Tensor once = ViewLogits(Plain(network), x, {}), always = ViewLogits(Plain(network), x, {.count = 6}),
                   some = ViewLogits(Plain(network), x, {.count = 6, .below = 0.6});
  const at::Tensor sure = at::softmax(once, 1).amax(1) >= 0.6;
  ASSERT_GT(sure.sum().item<int64_t>(), 5);
  ASSERT_LT(sure.sum().item<int64_t>(), 35);
  EXPECT_TRUE(at::allclose(some, at::where(sure.unsqueeze(1), once, always)));
  EXPECT_TRUE(at::equal(ViewLogits(Plain(network), x, {.count = 6, .below = 0}), once));
}

TEST(ComputeLogits, WithViewsAreOfEachImageByItself) {
  Dataset data;
  data.shape = {6, 6, 3};
  const int64_t images = 700;  // more than a batch
  std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(images * data.shape.size())]);
  for (int64_t i = 0; i < images * data.shape.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i % 251);
  data.pixels = pixels;
  data.labels.resize(static_cast<size_t>(images));
  Network network("conv 4 same relu, flatten, dense classes", {6, 6, 3}, 3);
  network.InitializeParameters(2);
  const Preprocessing preprocessing{.shape = data.shape, .views = {.count = 6, .below = 0.5}};
  std::vector<int64_t> all(static_cast<size_t>(images));
  std::iota(all.begin(), all.end(), int64_t{0});
  const auto together = ComputeLogits(network, preprocessing, data, all, {});
  for (const int64_t i : {0, 17, 499, 500, 699}) {
    const auto alone = ComputeLogits(network, preprocessing, data, std::vector{i}, {});
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(alone[c], together[static_cast<size_t>(3 * i) + c], 1e-5) << i;
  }
}

}  // namespace
}  // namespace spotter
