// SPDX-License-Identifier: Apache-2.0
#include "train/new_model.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <numeric>

#include "augment/batch.h"
#include "models/whitening.h"
#include "support/small_run.h"

namespace spotter {
namespace {

// What the whitening convolution makes of the images that it was computed from has the products of a whitened patch:
// E[z z^T] = lambda / (lambda + 5e-4), which is near 1 where a direction varies, and 0 between two directions.
TEST(NewModel, WhitensTheTrainingImages) {
  const Dataset data = ColourPatches();
  TrainSettings settings;
  settings.model = "conv whitening 2, flatten, dense classes";
  const Splits splits = MakeSplits(data, 0.2, 0, 1);
  const Model model = NewModel(settings, data, splits);
  at::Tensor images = at::empty({static_cast<int64_t>(splits.train.size()), 8, 8, 3});
  WriteBatch(data, splits.train, model.preprocessing, images.data_ptr<float>());
  const Parameter* kernel = WhiteningKernel(model.network);
  ASSERT_NE(kernel, nullptr);
  const at::Tensor z = at::conv2d(images.permute({0, 3, 1, 2}), kernel->value).permute({0, 2, 3, 1}).reshape({-1, 24});
  const at::Tensor products = at::matmul(z.t(), z) / static_cast<double>(z.size(0));
  const at::Tensor eye = at::eye(12);
  EXPECT_TRUE(at::allclose(products.slice(0, 0, 12).slice(1, 0, 12), eye, 0, 0.01)) << products;
  EXPECT_TRUE(at::allclose(products.slice(0, 12).slice(1, 0, 12), -eye, 0, 0.01));
}

TEST(NewModel, WhitensTheSameWhateverIsInTheOtherSplits) {
  const Dataset data = ColourPatches();
  TrainSettings settings;
  settings.normalize = "unit";
  settings.model = "conv whitening 2, flatten, dense classes";
  Splits splits;
  splits.train.resize(30);
  std::iota(splits.train.begin(), splits.train.end(), int64_t{0});
  const Model one = NewModel(settings, data, splits);
  splits.validation = {40, 41, 42};
  settings.seed = 9;
  const Model two = NewModel(settings, data, splits);
  EXPECT_TRUE(at::equal(WhiteningKernel(one.network)->value, WhiteningKernel(two.network)->value));
  splits.train.back() = 50;
  EXPECT_FALSE(
      at::equal(WhiteningKernel(one.network)->value, WhiteningKernel(NewModel(settings, data, splits).network)->value));
}

}  // namespace
}  // namespace spotter
