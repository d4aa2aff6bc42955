// SPDX-License-Identifier: Apache-2.0
// The ONNX graph of a model, computed by onnx/run.h, beside the model itself. tests/parity holds both to onnxruntime.
#include "export/onnx_model.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "data/image.h"
#include "evaluate/calibration.h"
#include "evaluate/evaluator.h"
#include "export/random_model.h"
#include "models/language.h"
#include "models/zoo.h"
#include "onnx/file.h"
#include "onnx/run.h"

namespace spotter {
namespace {

at::Tensor Compute(const Model& model, const at::Tensor& images, const std::string& output) {
  const onnx::Model read = onnx::Decode(onnx::Encode(ToOnnx(model)));
  return onnx::Runner(read.graph).Run({{"image", images}}, {output}).at(output);
}

/// The model's own logits of images of its shape.
at::Tensor Logits(const Model& model, const at::Tensor& images) {
  Dataset data;
  data.shape = model.preprocessing.shape;
  data.classes = model.classes;
  data.labels.resize(static_cast<size_t>(images.size(0)));
  data.pixels = std::shared_ptr<uint8_t[]>(new uint8_t[static_cast<size_t>(images.numel())]);
  std::memcpy(const_cast<uint8_t*>(data.image(0)), images.const_data_ptr(), static_cast<size_t>(images.numel()));
  std::vector<int64_t> all(data.labels.size());
  std::iota(all.begin(), all.end(), 0);
  const auto logits = ComputeLogits(model.network, model.preprocessing, data, all, {});
  return at::tensor(logits).view({images.size(0), -1});
}

double Largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

void ExpectTheSame(const Model& model, const std::string& what) {
  SCOPED_TRACE(what);
  const at::Tensor images = RandomImages(7, model.preprocessing.shape, 1);
  const at::Tensor logits = Logits(model, images);
  EXPECT_GT(Largest(logits - logits[0]), 1e-3) << "images that all look alike would prove nothing";
  EXPECT_LT(Largest(Compute(model, images, "logits") - logits), 1e-4 * std::max(1.0, Largest(logits)));
}

TEST(OnnxModel, EveryNetworkOfTheZoo) {
  for (const ZooEntry& entry : Zoo()) ExpectTheSame(RandomModel(entry.layers, {32, 32, 3}, 10), entry.name);
}

TEST(OnnxModel, EveryLayer) {
  const char* const kNetworks[] = {
      "conv 4 5x3 stride 2 same, avgpool 3 stride 2 same, conv 3 same nobias, globalmaxpool, dense classes nobias",
      "conv 4 same, maxpool 3 stride 2 same, batchnorm noscale, scale 0.3, skip, conv 4 same, skip, relu, conv 4 1 "
      "same, "
      "add, add, dropout 0.5, avgpool 2, globalavgpool, batchnorm epsilon 0.1, dense classes",
      "flatten, dense 9 tanh, flatten, batchnorm, dense classes",
  };
  for (const char* layers : kNetworks) ExpectTheSame(RandomModel(layers, {13, 10, 3}, 4), layers);
  for (const Activation& activation : Activations()) {
    const std::string& name = activation.name;
    ExpectTheSame(
        RandomModel("conv 4 " + name + ", " + name + ", flatten, dense 5 " + name + ", dense classes", {6, 6, 1}, 3),
        name);
  }
}

TEST(OnnxModel, TheViewsOfTheModel) {
  for (const Views& views : {Views{2, 1}, Views{6, 1}, Views{2, 0.4}, Views{6, 0.4}, Views{6, 0}}) {
    Model model = RandomModel("conv 8 relu, maxpool 2, flatten, dense classes", {8, 9, 3}, 3);
    model.preprocessing.views = views;
    ExpectTheSame(model, std::to_string(views.count) + " below " + std::to_string(views.below));
  }
}

TEST(OnnxModel, ImagesOfAnySizeAreFittedAsInTraining) {
  for (const ResizePolicy policy : {ResizePolicy::kStretch, ResizePolicy::kCrop, ResizePolicy::kPad}) {
    for (const int channels : {1, 3}) {
      // The network hands its input on.
      Model model = RandomModel("flatten, dense classes nobias", {6, 5, channels}, 6 * 5 * channels);
      model.network.parameters()[0]->value.copy_(at::eye(6 * 5 * channels));
      model.preprocessing.resize = policy;
      model.preprocessing.mean = {0, 0, 0};
      model.preprocessing.std = {1, 1, 1};
      for (const auto& [height, width] :
           {std::pair{6, 5}, {12, 10}, {100, 37}, {3, 4}, {1, 1}, {5, 200}, {641, 480}, {7, 5}}) {
        SCOPED_TRACE(ResizePolicyName(policy) + " " + std::to_string(height) + " x " + std::to_string(width));
        const ImageShape shape{height, width, channels};
        const at::Tensor images = RandomImages(2, shape, 2);
        const at::Tensor fitted = (Compute(model, images, "logits") * 255).round();
        for (int64_t i = 0; i < 2; ++i) {
          const uint8_t* pixels = images[i].const_data_ptr<uint8_t>();
          const Image ours = FitImage({shape, {pixels, pixels + shape.size()}}, model.preprocessing.shape, policy);
          const at::Tensor expected = at::tensor(std::vector<float>(ours.pixels.begin(), ours.pixels.end()));
          EXPECT_EQ(Largest(fitted[i] - expected), 0);
        }
      }
    }
  }
}

TEST(OnnxModel, ProbabilitiesAreOfTheTemperature) {
  Model model = RandomModel("flatten, dense classes", {4, 4, 3}, 5);
  model.temperature = 2.5;
  const at::Tensor images = RandomImages(3, model.preprocessing.shape, 3);
  const at::Tensor expected = at::softmax(Logits(model, images) / 2.5, 1);
  EXPECT_LT(Largest(Compute(model, images, "probabilities") - expected), 1e-6);
}

TEST(OnnxModel, SaysItsClassesAndHowItIsCalled) {
  Model model = RandomModel("flatten, dense classes", {4, 4, 1}, 2);
  model.classes = {"Katze \xf0\x9f\x90\xb1", "dog, \"big\""};
  const onnx::Model onnx = ToOnnx(model);
  EXPECT_EQ(onnx.opset, 13);
  EXPECT_EQ(onnx.ir_version, 7);
  EXPECT_EQ(onnx.metadata[0].second, "[\"Katze \xf0\x9f\x90\xb1\",\"dog, \\\"big\\\"\"]");
  ASSERT_EQ(onnx.graph.inputs.size(), 1u);
  EXPECT_EQ(onnx.graph.inputs[0].dims.back(), onnx::Dim(int64_t{1}));
  ASSERT_EQ(onnx.graph.outputs.size(), 3u);
  EXPECT_EQ(onnx.graph.outputs[1].name, "label");
}

TEST(Runner, SaysWhichNodeCanNotBeComputed) {
  onnx::Graph graph;
  graph.inputs = {{"x", onnx::Type::kFloat, {}}};
  graph.nodes = {{"Frobnicate", {"x"}, {"y"}}};
  const auto problem = [&] {
    try {
      onnx::Runner(graph).Run({{"x", at::ones({2, 3})}}, {"y"});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(problem().find("'Frobnicate' is not known"), std::string::npos);
  graph.nodes = {{"Relu", {"z"}, {"y"}}};
  EXPECT_NE(problem().find("nothing makes 'z'"), std::string::npos);
  graph.nodes = {{"MatMul", {"x", "x"}, {"y"}}};
  EXPECT_NE(problem().find("the MatMul that makes 'y' can't be computed"), std::string::npos);
}

}  // namespace
}  // namespace spotter
