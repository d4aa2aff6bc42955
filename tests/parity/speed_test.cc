// SPDX-License-Identifier: Apache-2.0
// The parts of the airbench recipes against PyTorch. make_speed_fixture.py wrote what it computed.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <map>

#include "evaluate/views.h"
#include "models/whitening.h"
#include "models/zoo.h"
#include "optimize/muon.h"
#include "parity/formula.h"
#include "train/train_step.h"

namespace spotter::parity {
namespace {

const Json& Speed() {
  static const Json speed = Json::parse(ReadText(SourceFolder() / "tests" / "parity" / "pytorch" / "speed.json"));
  return speed;
}

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

/// Images whose mirror is another image, (N, C, H, W) in channels-last memory.
at::Tensor Sloped(int64_t images, int64_t side) {
  const at::Tensor ramp = at::arange(side, at::kFloat);
  const at::Tensor slope = (1 + ramp / 4 + ramp.unsqueeze(1) / 8).unsqueeze(2);
  return (Pixels({images, side, side, 3}) / 255.0f * slope).permute({0, 3, 1, 2});
}

TEST(SpeedNetworks, GivePyTorchsLogits) {
  const at::NoGradGuard no_grad;
  for (const Json& recorded : Speed().at("forward")) {
    SCOPED_TRACE(recorded.at("name"));
    const Network network(ResolveModel(recorded.at("name")), {32, 32, 3}, 10);
    FillByFormula(network);
    const at::Tensor logits = network.Forward(Sloped(2, 32), {});
    EXPECT_LE(LargestDifference(logits * recorded.at("factor").get<double>(), ToTensor(recorded.at("logits"))), 1e-4);
  }
}

TEST(SixViews, GivePyTorchsLogits) {
  const at::NoGradGuard no_grad;
  const Network network(ResolveModel("speed"), {32, 32, 3}, 10);
  FillByFormula(network);
  const at::Tensor x = Sloped(3, 32);
  const at::Tensor recorded = ToTensor(Speed().at("six_views").at("logits"));
  const LogitsOf plain = [&](const at::Tensor& input) { return network.Forward(input, {}); };
  EXPECT_LE(LargestDifference(ViewLogits(plain, x, {.count = 6}) * 256, recorded), 1e-5);
  EXPECT_GT(LargestDifference(ViewLogits(plain, x, {.count = 2}) * 256, recorded), 1e-3);
  EXPECT_GT(LargestDifference(ViewLogits(plain, x, {.count = 1}) * 256, recorded), 1e-3);
}

TEST(WhiteningRows, GivePyTorchsProductAndAFixedSign) {
  const Json& recorded = Speed().at("whitening");
  const at::Tensor pixels = Pixels({recorded.at("images"), recorded.at("height"), recorded.at("width"), 3});
  const at::Tensor smooth = at::avg_pool2d((pixels / 255.0f).permute({0, 3, 1, 2}), {2, 2}, {1, 1});
  PatchProducts products;  // in two parts, as from two batches
  AddPatches(smooth.slice(0, 0, 5), 2, 2, products);
  AddPatches(smooth.slice(0, 5), 2, 2, products);
  const at::Tensor rows = WhiteningRows(products);
  ASSERT_EQ(rows.sizes(), (std::vector<int64_t>{24, 12}));
  const at::Tensor expected = ToTensor(recorded.at("product"));
  EXPECT_LE(LargestDifference(at::matmul(rows.t(), rows), expected), 1e-4 * expected.abs().max().item<double>());
  EXPECT_TRUE(at::equal(rows.slice(0, 12), -rows.slice(0, 0, 12)));
  const at::Tensor largest = rows.gather(1, rows.abs().argmax(1, true)).squeeze(1);
  EXPECT_GT(largest.slice(0, 0, 12).min().item<float>(), 0);
  // The smallest eigenvalue first: its row is the longest.
  const at::Tensor lengths = rows.slice(0, 0, 12).norm(2, 1);
  EXPECT_TRUE((lengths.slice(0, 0, 11) >= lengths.slice(0, 1)).all().item<bool>());
}

TEST(Orthogonalise, GivesPyTorchsMatrix) {
  for (const Json& recorded : Speed().at("orthogonalise")) {
    const at::Tensor x = KerasWeight("matrix.kernel", {recorded.at("rows"), recorded.at("columns")});
    const auto expected = [&](const char* precision) {
      return at::tensor(recorded.at(precision).get<std::vector<float>>()).view(x.sizes());
    };
    EXPECT_LE(LargestDifference(Orthogonalise(x, at::kFloat), expected("fp32")), 1e-5);
    const at::Tensor in_bf16 = Orthogonalise(x, at::kBFloat16);
    EXPECT_EQ(in_bf16.scalar_type(), at::kFloat);
    // Other products than PyTorch's lead there, so that they round otherwise, but no worse.
    const auto error = [&](const at::Tensor& found) {
      return ((found - expected("fp32")).norm() / expected("fp32").norm()).item<double>();
    };
    EXPECT_LE(error(in_bf16), 1.5 * error(expected("bf16")));
    EXPECT_GT(error(in_bf16), 1e-3) << "bf16 can't be as exact as this: was it fp32?";
  }
}

/// The labels are the index modulo 3.
Dataset ImagesOf(const Json& recorded) {
  Dataset data;
  data.shape = {recorded.at("height"), recorded.at("width"), 3};
  data.classes = {"a", "b", "c"};
  const at::Tensor values = Pixels({recorded.at("batch"), data.shape.height, data.shape.width, 3});
  std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(values.numel())]);
  for (int64_t i = 0; i < values.numel(); ++i) pixels[i] = static_cast<uint8_t>(values.const_data_ptr<float>()[i]);
  data.pixels = pixels;
  for (int32_t i = 0; i < recorded.at("batch"); ++i) data.labels.push_back(i % 3);
  return data;
}

/// PyTorch's rates are of the sum over the batch, ours of its mean: that is the factor between them, but for Muon.
OptimizerSettings SettingsOf(const Json& recorded) {
  const Json& rates = recorded.at("rates");
  const double batch = recorded.at("batch"), decay = rates.at("weight_decay");
  const bool muon = recorded.at("optimizer") == "muon";
  OptimizerSettings settings{.name = recorded.at("optimizer"),
                             .weight_decay = muon ? decay : decay / (rates.at("filters").get<double>() * batch),
                             .momentum = recorded.at("momentum"),
                             .bias_learning_rate = rates.at("bias").get<double>() * batch,
                             .whitening_bias_epochs = recorded.at("whitening_steps").get<double>() / 10,
                             .muon_momentum = recorded.at("muon_momentum"),
                             .lookahead = recorded.at("lookahead")};
  if (muon) settings.head_learning_rate = rates.at("head").get<double>() * batch;
  return settings;
}

void ExpectSameTensors(const Network& network, const Json& recorded) {
  std::map<std::string, at::Tensor> ours;
  for (const Parameter* parameter : network.parameters())
    ours[parameter->name] = parameter->value.detach().contiguous();
  ASSERT_EQ(ours.size(), recorded.size());
  for (const Json& tensor : recorded) {
    SCOPED_TRACE(tensor.at("name"));
    const at::Tensor& value = ours.at(tensor.at("name"));
    for (size_t i = 0; i < tensor.at("first").size(); ++i)
      EXPECT_NEAR(value.const_data_ptr<float>()[i], tensor.at("first")[i].get<double>(), 2e-5) << i;
    double projection = 0;
    for (int64_t i = 0; i < value.numel(); ++i)
      projection += value.const_data_ptr<float>()[i] * (2 * Unit("probe", i) - 1);
    EXPECT_NEAR(projection, tensor.at("projection").get<double>(), 2e-4);
  }
}

TEST(SpeedTraining, TakesPyTorchsSteps) {
  ASSERT_EQ(Speed().at("training").size(), 2u);
  for (const Json& recorded : Speed().at("training")) {
    SCOPED_TRACE(recorded.at("optimizer"));
    const Dataset data = ImagesOf(recorded);
    const Preprocessing preprocessing{.shape = data.shape, .mean = {.5f, .5f, .5f}, .std = {.25f, .25f, .25f}};
    Network network(recorded.at("layers"), {data.shape.height, data.shape.width, 3}, 3);
    FillByFormula(network);
    const auto optimizer = MakeOptimizer(SettingsOf(recorded), network.parameters());
    TrainStep step({.data = data,
                    .preprocessing = preprocessing,
                    .network = network,
                    .optimizer = *optimizer,
                    .augmentation = {},
                    .compute = {},
                    .label_smoothing = recorded.at("label_smoothing"),
                    .class_weights = {}});
    std::vector<int64_t> all;
    for (int64_t i = 0; i < data.size(); ++i) all.push_back(i);
    const double batch = recorded.at("batch"), rate = recorded.at("rates").at("filters");
    const double base = recorded.at("optimizer") == "muon" ? rate : rate * batch;
    const int64_t steps = recorded.at("steps");
    for (int64_t i = 0; i < steps; ++i) {
      const double done = static_cast<double>(i) / static_cast<double>(steps);
      const StepResult result = step.Run(all, 0, i,
                                         {.learning_rate = base * (1 - done),
                                          .factor = 1 - done,
                                          .epoch = static_cast<double>(i) / 10,
                                          .progress = static_cast<double>(i + 1) / static_cast<double>(steps)});
      EXPECT_NEAR(result.loss, recorded.at("losses")[static_cast<size_t>(i)].get<double>(), 1e-5) << i;
      // The bias of the whitening convolution asks for no gradient after its time.
      EXPECT_EQ(network.parameters()[1]->value.requires_grad(), i < recorded.at("whitening_steps")) << i;
    }
    ExpectSameTensors(network, recorded.at("tensors"));
  }
}

}  // namespace
}  // namespace spotter::parity
