// SPDX-License-Identifier: Apache-2.0
// Networks against Keras: the same layers, weights and images must give the same logits. The fixtures in keras/ were
// written by make_keras_fixtures.py, with Keras itself.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "models/zoo.h"
#include "parity/formula.h"

namespace spotter::parity {
namespace {

FeatureShape ShapeOf(const Json& recorded) {
  const auto shape = recorded.at("input_shape").get<std::vector<int64_t>>();
  return {shape[0], shape[1], shape[2]};
}

/// The network of this text with the recorded one's weights.
Network Rebuild(const std::string& layers, const Json& recorded) {
  Network network(layers, ShapeOf(recorded), recorded.at("classes"));
  FillByFormula(network);
  return network;
}

at::Tensor Logits(const Network& network, const Json& recorded, at::ScalarType precision) {
  const at::NoGradGuard no_grad;
  const FeatureShape shape = network.input_shape();
  const at::Tensor pixels = Pixels({recorded.at("images"), shape.height, shape.width, shape.channels});
  const at::Tensor x = (pixels / 255.0f).to(precision).permute({0, 3, 1, 2});
  return network.Forward(x, {.training = false, .precision = precision});
}

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

/// The formula gives here what it gave in Python; without this, equal logits would say nothing about the layout of
/// weights.
void ExpectSameWeights(const Network& network, const Json& recorded) {
  std::vector<Parameter*> parameters = network.parameters();
  ASSERT_EQ(parameters.size(), recorded.at("tensors").size());
  for (const Json& tensor : recorded.at("tensors")) {
    const std::string name = tensor.at("name");
    SCOPED_TRACE(name);
    const auto found =
        std::find_if(parameters.begin(), parameters.end(), [&](Parameter* p) { return KerasName(*p) == name; });
    ASSERT_NE(found, parameters.end());
    EXPECT_EQ(KerasShape((*found)->value), tensor.at("shape").get<std::vector<int64_t>>());
    const at::Tensor keras = KerasWeight(name, tensor.at("shape"));
    for (size_t i = 0; i < tensor.at("first").size(); ++i) {
      EXPECT_FLOAT_EQ(keras.data_ptr<float>()[i], tensor.at("first")[i].get<float>()) << i;
    }
  }
  const at::Tensor pixels =
      Pixels({1, network.input_shape().height, network.input_shape().width, network.input_shape().channels});
  for (size_t i = 0; i < recorded.at("first_pixels").size(); ++i) {
    EXPECT_EQ(pixels.data_ptr<float>()[i], recorded.at("first_pixels")[i].get<float>()) << i;
  }
}

void ExpectSameParameterCounts(const Network& network, const Json& recorded) {
  const Json& counts = recorded.at("parameters");
  EXPECT_EQ(network.parameter_count(), counts.at("total").get<int64_t>());
  EXPECT_EQ(network.trainable_parameter_count(), counts.at("trainable").get<int64_t>());
}

class Seed : public testing::TestWithParam<const char*> {};

TEST_P(Seed, GivesKerasLogits) {
  const Json recorded = ReadParity(std::string(GetParam()) + ".json");
  const std::string layers_here = ResolveModel(GetParam());
  const std::string layers_there = recorded.at("layers");
  EXPECT_EQ(layers_here, layers_there);
  for (const std::string& layers : {layers_there, layers_here}) {
    const Network network = Rebuild(layers, recorded);
    ExpectSameWeights(network, recorded);
    ExpectSameParameterCounts(network, recorded);
    EXPECT_LE(LargestDifference(Logits(network, recorded, at::kFloat), ToTensor(recorded.at("logits"))), 1e-4);
  }
}

TEST_P(Seed, InBf16IsWithinTwoPercentOfTheLogitsRange) {
  const Json recorded = ReadParity(std::string(GetParam()) + ".json");
  const Network network = Rebuild(recorded.at("layers"), recorded);
  const at::Tensor keras = ToTensor(recorded.at("logits"));
  const double range = (keras.max() - keras.min()).item<double>();
  const at::Tensor logits = Logits(network, recorded, at::kBFloat16);
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  const double difference = LargestDifference(logits, keras);
  EXPECT_LE(difference, 2e-2 * range);
  EXPECT_GT(difference, 1e-6) << "bf16 can't be as exact as this: was it fp32?";
}

INSTANTIATE_TEST_SUITE_P(Keras, Seed, testing::Values("seed-000", "seed-001", "seed-003", "seed-004"),
                         [](const auto& info) { return "Seed" + std::string(info.param).substr(5); });

TEST(Words, GiveKerasLogits) {
  const Json words = ReadParity("words.json");
  ASSERT_GE(words.size(), 30u);
  for (const Json& recorded : words) {
    SCOPED_TRACE(recorded.at("name").get<std::string>() + ": " + recorded.at("layers").get<std::string>());
    const Network network = Rebuild(recorded.at("layers"), recorded);
    ExpectSameWeights(network, recorded);
    ExpectSameParameterCounts(network, recorded);
    // fp32 sums in another order differ by a few times what Keras' own fp32 differs from its fp64.
    EXPECT_LE(LargestDifference(Logits(network, recorded, at::kFloat), ToTensor(recorded.at("logits"))), 1e-5);
  }
}

TEST(Words, AllOfThemAreComparedWithKeras) {
  std::string all;
  for (const Json& recorded : ReadParity("words.json")) all += " " + recorded.at("layers").get<std::string>() + ",";
  for (const char* word : {"conv", "maxpool", "avgpool", "globalavgpool", "globalmaxpool", "batchnorm", "dropout",
                           "flatten", "dense", "relu", "gelu", "silu", "elu", "leakyrelu", "sigmoid", "tanh"}) {
    EXPECT_TRUE(all.find(std::string(" ") + word + " ") != std::string::npos ||
                all.find(std::string(" ") + word + ",") != std::string::npos)
        << word;
  }
}

}  // namespace
}  // namespace spotter::parity
