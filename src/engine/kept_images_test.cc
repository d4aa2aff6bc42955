// SPDX-License-Identifier: Apache-2.0
// Going back for some images of a batch: what moves, and the gradients that come of it.
#include "engine/kept_images.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <ostream>

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

at::Tensor Noise(unsigned seed, const std::vector<int64_t>& sizes) {
  int64_t n = 1;
  for (const int64_t size : sizes) n *= size;
  return at::from_blob(RandomValues(n, seed).data(), sizes, at::kFloat).clone();
}

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
        "skip, conv 3 same, add, conv 16 same relu, skip, skip, conv 16 same, add, relu, conv 16 same, add, flatten, "
        "dense classes",
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

// Batch norm's moments are the whole batch's. The gradient of a kept image's input is libtorch's in fp64 with the
// others' output gradient at 0, what comes by way of the moments weighed by the images that the kept one stands for.
struct NormCase {
  const char* name;
  kernels::PoolShape shape;
  kernels::Act act;
};
void PrintTo(const NormCase& c, std::ostream* out) { *out << c.name; }
class KeptNorm : public testing::TestWithParam<NormCase> {};
TEST_P(KeptNorm, StandsForTheOthers) {
  if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  constexpr int64_t kImages = 9;
  const auto& [name, shape, act] = GetParam();
  Network network("batchnorm, flatten, dense classes",
                  {static_cast<int>(shape.height), static_cast<int>(shape.width), static_cast<int>(shape.channels)},
                  kClasses);
  network.InitializeParameters(3);
  Layer& norm = *network.layers().front();
  const int64_t out_height = shape.out_height(), out_width = shape.out_width(), channels = shape.channels;
  const at::Tensor x = Noise(1, {kImages, shape.height, shape.width, channels}).to(at::kBFloat16) + 0.5;
  const at::Tensor dy = Noise(2, {kImages, out_height, out_width, channels}).to(at::kBFloat16);
  for (Parameter& parameter : norm.parameters()) parameter.value.set_requires_grad(parameter.trainable());

  for (const std::vector<int64_t>& numbers : {std::vector<int64_t>{4}, {0, 3, 8}, {1, 2, 5, 6, 7, 8}}) {
    const KeptImages kept(kImages, numbers);
    // libtorch's.
    at::Tensor masked = at::zeros({kImages, channels, out_height, out_width}, at::kDouble);
    masked.index_copy_(0, kept.order(), dy.to(at::kDouble).permute({0, 3, 1, 2}).index_select(0, kept.order()));
    const at::Tensor input = x.to(at::kDouble).permute({0, 3, 1, 2});
    const at::Tensor mean = input.mean({0, 2, 3}), variance = input.var({0, 2, 3}, /*unbiased=*/false);
    at::Tensor scale, bias;
    const auto gradient_of_input = [&](bool of_moments) {
      const at::Tensor leaf = input.detach().clone().requires_grad_();
      scale = FindParameter(norm, "weight")->value.detach().to(at::kDouble).requires_grad_();
      bias = FindParameter(norm, "bias")->value.detach().to(at::kDouble).requires_grad_();
      at::Tensor y = at::batch_norm(leaf, scale, bias, mean, variance, of_moments, 0,
                                    std::get<BatchNormSpec>(norm.spec()).epsilon, /*cudnn_enabled=*/false);
      if (act == kernels::Act::kGelu) y = at::gelu(y);
      if (act == kernels::Act::kRelu) y = at::relu(y);
      if (shape.size > 1) y = at::max_pool2d(y, {shape.size, shape.size});
      y.backward(masked);
      return leaf.grad().index_select(0, kept.order()).permute({0, 2, 3, 1});
    };
    const at::Tensor direct = gradient_of_input(false);
    const double stands_for = std::min(4.0, static_cast<double>(kImages) / static_cast<double>(kept.count()));
    const at::Tensor expected = direct + stands_for * (gradient_of_input(true) - direct);

    // Ours.
    kernels::Scratch scratch(2);
    const auto op = MakeNormOp(norm, {shape, act}, scratch);
    at::Tensor map = x.clone(), gradient = dy.index_select(0, kept.order()), spare = at::empty_like(x);
    const auto data = [](const at::Tensor& t) { return reinterpret_cast<bf16*>(t.data_ptr()); };
    gradient = at::cat({gradient, at::zeros_like(dy)});  // room for the input's
    op->Forward(data(map), {.images = kImages, .training = true});
    kept.Gather(data(map), map.numel());
    op->Keep(data(map), kept);
    const bf16* dx = op->Backward(data(gradient), data(spare), /*dx_wanted=*/true, {.images = kept.count()});
    const at::Tensor found = at::from_blob(const_cast<bf16*>(dx), expected.sizes(), at::kBFloat16).to(at::kDouble);
    EXPECT_LT(((found - expected).norm() / expected.norm()).item<double>(), 5e-3) << kept.count();
    for (const auto& [parameter, reference] : {std::pair("weight", scale), std::pair("bias", bias)}) {
      const at::Tensor& own = FindParameter(norm, parameter)->value.grad();
      EXPECT_LT(((own - reference.grad()).norm() / reference.grad().norm()).item<double>(), 5e-3) << parameter;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Norms, KeptNorm,
                         testing::Values(NormCase{"map, gelu", {0, 6, 5, 40, 1}, kernels::Act::kGelu},
                                         NormCase{"map, relu", {0, 6, 5, 40, 1}, kernels::Act::kRelu},
                                         NormCase{"map, relu, maxpool 2", {0, 7, 6, 24, 2}, kernels::Act::kRelu},
                                         NormCase{"vector", {0, 1, 1, 128, 1}, kernels::Act::kNone}));

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
