// SPDX-License-Identifier: Apache-2.0
#include "models/language.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "models/network.h"
#include "models/zoo.h"

namespace spotter {
namespace {

constexpr FeatureShape kColour32 = {32, 32, 3};

/// The message of the usage error that this text must give.
std::string Refusal(const std::string& text, const FeatureShape& input = kColour32) {
  try {
    BuildLayers(text, input, 10);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "'" << text << "' was accepted";
  return "";
}

void ExpectRefused(const std::string& text, const std::vector<std::string>& parts,
                   const FeatureShape& input = kColour32) {
  const std::string message = Refusal(text, input);
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in: " << message;
}

std::vector<std::string> ShapesOf(const std::string& text, const FeatureShape& input) {
  std::vector<std::string> shapes;
  for (const auto& layer : BuildLayers(text, input, 10)) shapes.push_back(ToString(layer->output_shape()));
  return shapes;
}

// Every message quotes the layer and says which one it is; that is what a user corrects.
TEST(Language, SaysWhichLayerIsWrongAndWhy) {
  ExpectRefused("conv 32 relu, maxpol 2, flatten, dense classes",
                {"layer 2 'maxpol 2'", "'maxpol' is no layer", "did you mean 'maxpool'?", "globalavgpool"});
  ExpectRefused("xyzzy 3, flatten, dense classes", {"layer 1 'xyzzy 3'", "'xyzzy' is no layer", "the layers are"});
  ExpectRefused("conv 32 rellu, flatten, dense classes",
                {"layer 1 'conv 32 rellu'", "'rellu' is not expected here", "did you mean 'relu'?"});
  ExpectRefused("conv, flatten, dense classes", {"layer 1 'conv'", "the number of filters", "is missing"});
  ExpectRefused("conv relu, flatten, dense classes", {"layer 1 'conv relu'", "'relu' is not a number of filters"});
  ExpectRefused("conv 0, flatten, dense classes", {"layer 1 'conv 0'", "'0' is not a number of filters", "from 1 to"});
  ExpectRefused("conv -3, flatten, dense classes", {"'-3' is not a number of filters"});
  ExpectRefused("conv 2000000, flatten, dense classes", {"'2000000' is not a number of filters"});
  ExpectRefused("conv 99999999999999999999, flatten, dense classes", {"is not a number of filters"});
  ExpectRefused("conv 8 0, flatten, dense classes", {"layer 1 'conv 8 0'", "'0' is not a kernel's side"});
  ExpectRefused("conv 8 3x0, flatten, dense classes", {"'0' is not a kernel's side"});
  ExpectRefused("conv 8 3x3x3, flatten, dense classes", {"'3x3x3' is not expected here"});
  ExpectRefused("conv 8 3 5, flatten, dense classes", {"'5' is not expected here"});
  ExpectRefused("conv 8 same valid, flatten, dense classes", {"'valid' is not expected here"});
  ExpectRefused("conv 8 relu tanh, flatten, dense classes", {"'tanh' is not expected here"});
  ExpectRefused("conv 8 stride, flatten, dense classes", {"'stride' needs a number"});
  ExpectRefused("conv 8 stride x, flatten, dense classes", {"'x' is not stride"});
  ExpectRefused("maxpool, flatten, dense classes", {"layer 1 'maxpool'", "the pool's size", "is missing"});
  ExpectRefused("maxpool 2 relu, flatten, dense classes", {"'relu' is not expected here"});
  ExpectRefused("dropout, flatten, dense classes", {"layer 1 'dropout'", "the rate"});
  for (const char* rate : {"1", "1.5", "-0.1", "x", "nan", "50%"}) {
    ExpectRefused(std::string("dropout ") + rate + ", flatten, dense classes",
                  {std::string("'") + rate + "' is not a dropout rate"});
  }
  ExpectRefused("flatten, dense, dense classes", {"layer 2 'dense'", "the number of units"});
  ExpectRefused("flatten, dense many, dense classes", {"layer 2 'dense many'", "'many' is not a number of units"});
  ExpectRefused("flatten 2, dense classes", {"layer 1 'flatten 2'", "'2' is not expected here", "nothing may follow"});
  ExpectRefused("relu 2, flatten, dense classes", {"layer 1 'relu 2'", "nothing may follow"});
}

TEST(Language, SaysWhatIsWrongWithTheWordsOfTheSpeedRecipes) {
  ExpectRefused("conv 24 2 whitening, conv 24 2 whitening, flatten, dense classes",
                {"layer 2 'conv 24 2 whitening'", "can only be the first layer"});
  ExpectRefused("conv 23 2 whitening, flatten, dense classes",
                {"layer 1 'conv 23 2 whitening'", "2 x 2 over 3 channels has 24 filters", "not 23"});
  ExpectRefused("conv 24 2 whitening dirac, flatten, dense classes", {"'dirac' is not expected here"});
  ExpectRefused("conv 8 nobias nobias, flatten, dense classes", {"'nobias' is not expected here"});
  ExpectRefused("batchnorm momentum, flatten, dense classes", {"'momentum' needs a number"});
  ExpectRefused("batchnorm momentum 1.5, flatten, dense classes", {"'1.5' is not momentum", "from 0 to 1"});
  ExpectRefused("batchnorm epsilon 0, flatten, dense classes", {"'0' is not epsilon"});
  ExpectRefused("batchnorm noscales, flatten, dense classes", {"'noscales' is not expected here", "'noscale'"});
  ExpectRefused("flatten, dense classes unit uniform", {"'uniform' is not expected here"});
  ExpectRefused("scale, flatten, dense classes", {"layer 1 'scale'", "the factor", "is missing"});
  for (const char* factor : {"x", "1/0", "1/2/3", "/2", "1/", "nan", "1e300/1e-300"})
    ExpectRefused(std::string("scale ") + factor + ", flatten, dense classes",
                  {std::string("'") + factor + "' is not a factor"});
  ExpectRefused("add, flatten, dense classes", {"layer 1 'add'", "no 'skip' before it"});
  ExpectRefused("skip, add, add, flatten, dense classes", {"layer 3 'add'", "no 'skip' before it"});
  ExpectRefused("skip, skip, add, flatten, dense classes", {"a 'skip' has no 'add' behind it", "1 too few"});
  ExpectRefused("skip, conv 3, add, flatten, dense classes",
                {"layer 3 'add'", "(30, 30, 3)", "its 'skip' has (32, 32, 3)"});
  ExpectRefused("skip 2, add, flatten, dense classes", {"'2' is not expected here"});
}

TEST(Language, ReadsTheWordsOfTheSpeedRecipes) {
  EXPECT_EQ(ShapesOf("conv whitening 2 gelu, flatten, dense classes", kColour32).front(), "(31, 31, 24)");
  EXPECT_EQ(ShapesOf("conv whitening 3x1 same, flatten, dense classes", {8, 8, 1}).front(), "(8, 8, 6)");
  EXPECT_EQ(ShapesOf("conv 24 2 whitening, flatten, dense classes", kColour32).front(), "(31, 31, 24)");
  const auto layers = BuildLayers(
      "conv 8 whitening 2 nobias, batchnorm noscale, conv 4 nobias, batchnorm, flatten, dense 5 nobias unit, dense "
      "classes, scale -1/4",
      {9, 9, 1}, 10);
  std::vector<std::string> names;
  for (const auto& layer : layers) {
    for (const Parameter& parameter : layer->parameters()) names.push_back(parameter.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"conv_1.weight", "batchnorm_1.bias", "batchnorm_1.running_mean",
                                             "batchnorm_1.running_var", "conv_2.weight", "batchnorm_2.weight",
                                             "batchnorm_2.bias", "batchnorm_2.running_mean", "batchnorm_2.running_var",
                                             "dense_1.weight", "dense_2.weight", "dense_2.bias"}));
  EXPECT_FALSE(layers[0]->parameters()[0].trainable());
  EXPECT_TRUE(layers[2]->parameters()[0].trainable());
}

TEST(Language, SaysThatSoftmaxIsNotNeeded) {
  ExpectRefused("flatten, dense classes softmax", {"layer 2 'dense classes softmax'", "leave softmax out"});
  ExpectRefused("flatten, dense classes, softmax", {"layer 3 'softmax'", "leave softmax out"});
}

TEST(Language, RefusesEmptyLayers) {
  ExpectRefused("", {"layer 1 ''", "empty"});
  ExpectRefused("conv 8, , flatten, dense classes", {"layer 2 ''", "a comma too many"});
  ExpectRefused("flatten, dense classes,", {"layer 3 ''", "a comma too many"});
}

TEST(Language, RefusesWindowsThatDoNotFit) {
  ExpectRefused("maxpool 33, flatten, dense classes", {"layer 1 'maxpool 33'", "33 x 33 does not fit", "(32, 32, 3)"});
  ExpectRefused("conv 8 33x1, flatten, dense classes", {"33 x 1 does not fit"});
  ExpectRefused("maxpool 16, maxpool 3, flatten, dense classes", {"layer 2 'maxpool 3'", "(2, 2, 3)"});
  EXPECT_EQ(ShapesOf("maxpool 33 same, flatten, dense classes", kColour32).front(), "(1, 1, 3)");
}

TEST(Language, RefusesLayersInTheWrongOrder) {
  ExpectRefused("dense 8, dense classes", {"layer 1 'dense 8'", "dense needs a vector", "'flatten'"});
  ExpectRefused("flatten, conv 8, dense classes", {"layer 2 'conv 8'", "needs a map", "vector of 3072"});
  ExpectRefused("flatten, maxpool 2, dense classes", {"layer 2 'maxpool 2'", "needs a map"});
  ExpectRefused("flatten, globalavgpool, dense classes", {"layer 2 'globalavgpool'", "needs a map"});
}

TEST(Language, WantsOneLogitAClassAtTheEnd) {
  ExpectRefused("flatten, dense 11", {"'dense 11'", "10 classes", "end with 'dense classes'"});
  ExpectRefused("conv 10", {"'conv 10'", "(30, 30, 10)", "end with 'dense classes'"});
  EXPECT_EQ(BuildLayers("flatten, dense 10", kColour32, 10).size(), 2u);
  EXPECT_EQ(BuildLayers("conv 10, globalavgpool", kColour32, 10).size(), 2u);
}

TEST(Language, RefusesWhatNoMachineHolds) {
  ExpectRefused("globalavgpool, dense 1000000, dense 1000000, dense classes",
                {"layer 3 'dense 1000000'", "1000000000000 weights"});
  ExpectRefused("conv 1000000 1, conv 1000000 1, flatten, dense classes", {"too large: at most 2,147,483,648"});
  ExpectRefused("conv 1048576 64x64, globalavgpool, dense classes", {"too large: at most 2,147,483,648"},
                {16384, 16384, 3});
}

// Output sizes by TensorFlow's rule: valid floor((n - k) / s) + 1, same ceil(n / s).
TEST(Language, ArgumentsComeInAnyOrderAndCase) {
  EXPECT_EQ(ShapesOf("conv 6 5x3 stride 2 same, flatten, dense classes", {16, 13, 3}),
            (std::vector<std::string>{"(8, 7, 6)", "(336)", "(10)"}));
  EXPECT_EQ(ShapesOf("conv 6 same relu stride 2 5x3, flatten, dense classes", {16, 13, 3}).front(), "(8, 7, 6)");
  EXPECT_EQ(ShapesOf("  CONV 6   Stride 2 VALID 5x3 ,flatten,dense CLASSES", {16, 13, 3}).front(), "(6, 6, 6)");
  EXPECT_EQ(ShapesOf("maxpool 3 stride 2, flatten, dense classes", {16, 13, 3}).front(), "(7, 6, 3)");
  EXPECT_EQ(ShapesOf("avgpool 2 same, flatten, dense classes", {15, 13, 1}).front(), "(8, 7, 1)");
  EXPECT_EQ(ShapesOf("conv 6 swish, flatten, dense classes", {3, 3, 1}).front(), "(1, 1, 6)");
}

TEST(Language, NumbersTheLayersByKind) {
  const auto layers = BuildLayers("conv 4, conv 5 1, flatten, relu, dense 6, batchnorm, dense classes", kColour32, 10);
  std::vector<std::string> names;
  for (const auto& layer : layers) names.push_back(layer->name());
  EXPECT_EQ(names,
            (std::vector<std::string>{"conv_1", "conv_2", "flatten_1", "relu_1", "dense_1", "batchnorm_1", "dense_2"}));
  EXPECT_EQ(layers[1]->parameters()[0].name, "conv_2.weight");
  EXPECT_EQ(layers[5]->parameters()[2].name, "batchnorm_1.running_mean");
  EXPECT_EQ(layers[1]->description(), "conv 5 1");
}

TEST(Language, ItsHelpNamesEveryWordThatItReads) {
  std::string all;
  for (const LayerWord& word : LayerWords()) all += word.usage + "\n";
  for (const char* word : {"conv", "maxpool", "avgpool", "globalavgpool", "globalmaxpool", "batchnorm", "dropout",
                           "flatten", "dense", "gelu", "scale", "skip", "add", "whitening", "dirac", "noscale"}) {
    EXPECT_NE(all.find(word), std::string::npos) << word;
  }
}

TEST(Zoo, EveryNetworkBuildsForColourAndForDigits) {
  for (const ZooEntry& entry : Zoo()) {
    for (const FeatureShape& shape : {kColour32, FeatureShape{28, 28, 1}}) {
      const Network network(ResolveModel(entry.name), shape, 10);
      EXPECT_GT(network.parameter_count(), 1000) << entry.name;
      EXPECT_FALSE(entry.description.empty());
    }
  }
}

TEST(Zoo, TellsNamesFromLayerLists) {
  EXPECT_EQ(ResolveModel("flatten, dense classes"), "flatten, dense classes");
  try {
    ResolveModel("seed-01");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("did you mean 'seed-001'?"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace spotter
