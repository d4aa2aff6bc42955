// SPDX-License-Identifier: Apache-2.0
// Going back for some images of a batch: what moves, and the gradients that come of it.
#include "engine/kept_images.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "engine/engine.h"
#include "kernels/test_values.h"

namespace spotter {
namespace {

using kernels::RandomValues;

std::vector<int64_t> Order(const KeptImages& images) {
  const auto* order = images.order().const_data_ptr<int64_t>();
  return {order, order + images.count()};
}

TEST(KeptImages, ThoseBehindTakeThePlacesOfTheOthers) {
  const std::vector<int64_t> kept = {1, 2, 5, 7};
  const KeptImages images(8, kept);
  EXPECT_EQ(images.images(), 8);
  EXPECT_EQ(images.count(), 4);
  EXPECT_EQ(Order(images), (std::vector<int64_t>{7, 1, 2, 5}));
  std::vector<int> values(16);  // two an image
  std::iota(values.begin(), values.end(), 0);
  images.Gather(values.data(), 16);
  for (const int64_t image : {5, 7}) EXPECT_EQ(values[static_cast<size_t>(2 * image)], 2 * image) << "still there";
  EXPECT_EQ(std::vector<int>(values.begin(), values.begin() + 8), (std::vector<int>{14, 15, 2, 3, 4, 5, 10, 11}));
  std::fill(values.begin() + 8, values.end(), -1);
  images.Scatter(values.data(), 16);
  for (const int64_t image : kept) {
    EXPECT_EQ(values[static_cast<size_t>(2 * image)], 2 * image);
    EXPECT_EQ(values[static_cast<size_t>(2 * image + 1)], 2 * image + 1);
  }
}

TEST(KeptImages, WhereAllOrTheFirstAreKeptNothingMoves) {
  for (const int64_t count : {3, 2}) {
    std::vector<int64_t> kept(static_cast<size_t>(count));
    std::iota(kept.begin(), kept.end(), int64_t{0});
    const KeptImages images(3, kept);
    EXPECT_EQ(Order(images), kept);
    std::vector<int> values = {4, 5, 6};
    images.Gather(values.data(), 3);
    EXPECT_EQ(values, (std::vector<int>{4, 5, 6}));
  }
}

constexpr int64_t kClasses = 10;
constexpr FeatureShape kInput{20, 20, 3};

class KeptGradientsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
    network_.InitializeParameters(3);
    for (Parameter* parameter : network_.parameters()) {
      if (parameter->role == ParameterRole::kWhitening)
        parameter->value.copy_(Noise(5, parameter->value.sizes().vec()));
      parameter->value.set_requires_grad(parameter->trainable());
    }
  }
  static at::Tensor Noise(unsigned seed, const std::vector<int64_t>& sizes) {
    int64_t n = 1;
    for (const int64_t size : sizes) n *= size;
    return at::from_blob(RandomValues(n, seed).data(), sizes, at::kFloat).clone();
  }
  static at::Tensor Images(int64_t n) {
    return Noise(1, {n, kInput.height, kInput.width, kInput.channels}).permute({0, 3, 1, 2}).to(at::kBFloat16);
  }
  std::vector<at::Tensor> Gradients(const at::Tensor& images, const at::Tensor& gradient,
                                    const std::vector<int64_t>& kept) {
    for (Parameter* parameter : network_.parameters()) parameter->value.mutable_grad().reset();
    engine_->Forward(images, {.images = images.size(0), .training = true, .seed = 7});
    engine_->Backward(gradient, kept);
    std::vector<at::Tensor> all;
    for (const Parameter* parameter : network_.parameters()) {
      const at::Tensor& found = parameter->value.grad();
      all.push_back(found.defined() ? found.clone() : found);
    }
    return all;
  }
  void ExpectSame(const std::vector<at::Tensor>& expected, const std::vector<at::Tensor>& found, double bound) {
    for (size_t i = 0; i < expected.size(); ++i) {
      const Parameter& parameter = *network_.parameters()[i];
      ASSERT_EQ(expected[i].defined(), found[i].defined()) << parameter.name;
      if (!expected[i].defined()) continue;
      EXPECT_GT(expected[i].norm().item<double>(), 0) << parameter.name;
      const double error = ((found[i] - expected[i]).norm() / expected[i].norm()).item<double>();
      EXPECT_LT(error, bound) << parameter.name;
    }
  }

  Network network_{GetParam(), kInput, kClasses};
  std::unique_ptr<Engine> engine_ = std::make_unique<Engine>(network_, 2);
};

// Without batch norm the others' gradient being 0 is all that there is to it.
using WithoutMoments = KeptGradientsTest;
TEST_P(WithoutMoments, OthersCountAsIfTheirGradientWereZero) {
  constexpr int64_t kImages = 11;
  const std::vector<int64_t> kept = {0, 3, 4, 8, 10};
  const at::Tensor gradient = Noise(2, {kImages, kClasses});
  at::Tensor zeroed = at::zeros_like(gradient);
  for (const int64_t image : kept) zeroed.select(0, image).copy_(gradient.select(0, image));
  const auto expected = Gradients(Images(kImages), zeroed, {});
  const auto found = Gradients(Images(kImages), gradient, kept);
  ExpectSame(expected, found, 1e-5);                                    // sums in another order
  ExpectSame(expected, Gradients(Images(kImages), zeroed, {}), 1e-12);  // the batch after it is whole again
}
INSTANTIATE_TEST_SUITE_P(
    Networks, WithoutMoments,
    testing::Values(
        "conv 32 valid relu, maxpool 2, conv 64 valid relu, flatten, dense 128 relu, dropout 0.5, dense classes",
        "conv 24 2 whitening gelu, conv 64 same, maxpool 2, gelu, dropout 0.25, maxpool 3, flatten, dense classes",
        "conv 16 3 elu, avgpool 2, conv 20 same silu, globalavgpool, dense classes",
        "conv 16 same relu, dropout 0.25, globalavgpool, dense classes",  // libtorch's layer behind one of ours
        "conv 16 same relu, conv 16 same elu, dropout 0.2, conv 20 same stride 2 relu, flatten, dense classes",
        "conv 16 same relu, skip, conv 16 same relu, add, maxpool 2, flatten, dense classes",
        "flatten, dropout 0, dense classes"));

// As in a resumed run whose first step is an epoch's short one, and in which the first layer stops learning then.
TEST_P(WithoutMoments, ALargerBatchAfterTheFirstLayerStoppedLearning) {
  const std::vector<int64_t> few = {1, 3}, kept = {0, 7, 8, 10};
  Gradients(Images(4), Noise(2, {4, kClasses}), few);
  for (Parameter* parameter : network_.parameters()) {
    if (parameter->name.starts_with("conv_1")) parameter->value.set_requires_grad(false);
  }
  const auto found = Gradients(Images(11), Noise(2, {11, kClasses}), kept);
  engine_ = std::make_unique<Engine>(network_, 2);
  ExpectSame(Gradients(Images(11), Noise(2, {11, kClasses}), kept), found, 1e-12);
}

// A batch in which each image is twice has the moments of its half: going back for one of each is what that half does.
using WithMoments = KeptGradientsTest;
TEST_P(WithMoments, BatchNormTakesTheKeptImagesForABatch) {
  constexpr int64_t kImages = 9;
  const at::Tensor images = Images(kImages);
  const at::Tensor gradient = Noise(2, {kImages, kClasses});
  const auto expected = Gradients(images, gradient, {});
  // The copies: in order, and back again. Kept is the first of even images, the second of odd ones.
  std::vector<int64_t> rows(2 * kImages), kept;
  for (int64_t i = 0; i < 2 * kImages; ++i) {
    const int64_t image = i < kImages ? i : 2 * kImages - 1 - i;
    rows[static_cast<size_t>(i)] = image;
    if ((i < kImages) == (image % 2 == 0)) kept.push_back(i);
  }
  const at::Tensor twice = at::tensor(at::ArrayRef<int64_t>(rows));
  ExpectSame(expected, Gradients(images.index_select(0, twice), gradient.index_select(0, twice), kept), 2e-3);
}
INSTANTIATE_TEST_SUITE_P(
    Networks, WithMoments,
    testing::Values(
        "conv 24 2 whitening gelu, conv 64 same nobias, maxpool 2, batchnorm noscale, gelu, conv 64 same nobias, "
        "batchnorm noscale, gelu, maxpool 3, flatten, dense classes nobias",
        "conv 16 same, batchnorm, relu, maxpool 2, conv 40 same, batchnorm, maxpool 2, flatten, dense 20, "
        "batchnorm, relu, dense classes"));

// A front that has stopped learning is not gone back through.
using FrozenFront = KeptGradientsTest;
TEST_P(FrozenFront, LeavesTheOthersGradients) {
  const at::Tensor gradient = Noise(2, {6, kClasses});
  const std::vector<int64_t> kept = {2, 3, 5};
  const auto all = Gradients(Images(6), gradient, kept);
  for (Parameter* parameter : network_.parameters()) {
    if (parameter->name.starts_with("conv_1") || parameter->name.starts_with("conv_2"))
      parameter->value.set_requires_grad(false);
  }
  const double before = engine_->costs()[1].backward_products;
  const auto found = Gradients(Images(6), gradient, kept);
  EXPECT_EQ(engine_->costs()[1].backward_products, before);
  for (size_t i = 0; i < all.size(); ++i) {
    if (found[i].defined()) EXPECT_TRUE(at::equal(found[i], all[i])) << network_.parameters()[i]->name;
  }
  EXPECT_EQ(std::count_if(found.begin(), found.end(), [](const at::Tensor& t) { return t.defined(); }), 4);
}
INSTANTIATE_TEST_SUITE_P(
    Networks, FrozenFront,
    testing::Values("conv 16 same relu, conv 24 same relu, maxpool 2, conv 32 same relu, maxpool 2, flatten, "
                    "dense classes",
                    "conv 16 same relu, conv 24 same relu, dropout 0, conv 32 same relu, flatten, dense classes",
                    "conv 16 same relu, conv 24 same relu, dropout 0.3, conv 32 same relu, flatten, dense classes"));

}  // namespace
}  // namespace spotter
