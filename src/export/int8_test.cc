// SPDX-License-Identifier: Apache-2.0
#include "export/int8.h"

#include <gtest/gtest.h>

#include "export/onnx_model.h"
#include "export/random_model.h"
#include "models/zoo.h"
#include "onnx/values.h"

namespace spotter {
namespace {

onnx::Graph InInt8(const onnx::Graph& graph, const at::Tensor& images) {
  return Quantize(graph, MeasureRanges(graph, 1, [&](int64_t) { return onnx::Values{{"image", images}}; }));
}

at::Tensor Logits(const onnx::Graph& graph, const at::Tensor& images) {
  return onnx::Runner(graph).Run({{"image", images}}, {"logits"}).at("logits");
}

const onnx::Node* MakerOf(const onnx::Graph& graph, const std::string& value) {
  for (const onnx::Node& node : graph.nodes) {
    if (node.outputs[0] == value) return &node;
  }
  return nullptr;
}

TEST(Int8, EveryProductReadsIntegers) {
  const Model model = RandomModel(ResolveModel("seed-003"), {32, 32, 3}, 10);
  const onnx::Graph graph = InInt8(ToOnnx(model).graph, RandomImages(8, model.preprocessing.shape, 1));
  int products = 0;
  for (const onnx::Node& node : graph.nodes) {
    if (node.op != "Conv" && node.op != "Gemm") continue;
    ++products;
    for (const std::string& input : node.inputs) {
      const onnx::Node* maker = MakerOf(graph, input);
      ASSERT_NE(maker, nullptr) << node.op << " reads the constant " << input;
      EXPECT_EQ(maker->op, "DequantizeLinear") << input;
    }
  }
  EXPECT_EQ(products, 6);
  for (const onnx::Tensor& constant : graph.constants)
    EXPECT_FALSE(constant.name == "conv_1.weight" || constant.name == "dense_1.weight")
        << "the fp32 weights are still there";
}

// 255 * 2 * 64 is below 2^15: what two products are added in on processors without VNNI.
TEST(Int8, TwoProductsFitInSixteenBits) {
  const Model model = RandomModel(ResolveModel("seed-003"), {32, 32, 3}, 10);
  int weights = 0;
  for (const onnx::Tensor& constant :
       InInt8(ToOnnx(model).graph, RandomImages(8, model.preprocessing.shape, 1)).constants) {
    if (constant.type != onnx::Type::kInt8 || constant.dims.size() < 2) continue;
    ++weights;
    EXPECT_EQ(onnx::ToTensor(constant).to(at::kInt).abs().max().item<int>(), 64) << constant.name;
  }
  EXPECT_EQ(weights, 6);
}

TEST(Int8, LogitsStayClose) {
  for (const char* name : {"seed-000", "seed-003", "speed", "speed-96"}) {
    SCOPED_TRACE(name);
    Model model = RandomModel(ResolveModel(name), {32, 32, 3}, 10);
    if (std::string(name) == "speed") model.preprocessing.views = {6, 0.5};
    const at::Tensor images = RandomImages(32, model.preprocessing.shape, 1);
    const onnx::Graph graph = ToOnnx(model).graph;
    const at::Tensor exact = Logits(graph, images);
    const at::Tensor spread = exact - exact.mean(0, /*keepdim=*/true);
    const at::Tensor error = Logits(InInt8(graph, images), images) - exact;
    const double relative = (error.norm() / spread.norm()).item<double>();
    EXPECT_LT(relative, 0.2);  // of random weights; trained ones lose less: tests/export
    EXPECT_GT(relative, 1e-5) << "nothing was rounded";
  }
}

/// image -> Conv by 1 -> y.
onnx::Graph Identity() {
  onnx::Graph graph;
  graph.inputs = {{"image", onnx::Type::kFloat, {}}};
  graph.constants = {onnx::ToConstant("one", at::ones({1, 1, 1, 1}))};
  graph.nodes = {{"Conv", {"image", "one"}, {"y"}}, {"Identity", {"y"}, {"logits"}}};
  return graph;
}

TEST(Int8, RangesCutOffRareValuesAndKeepCommonOnes) {
  at::manual_seed(1);
  const at::Tensor common = at::rand({1, 1, 1500, 1500}) * 3 - 1;
  const auto range = [&](const at::Tensor& x) {
    return MeasureRanges(Identity(), 1, [&](int64_t) { return onnx::Values{{"image", x}}; }).at("y");
  };
  const QuantizedRange all = range(common);
  EXPECT_NEAR(all.low, -1, 0.05);
  EXPECT_NEAR(all.high, 2, 0.05);
  at::Tensor outlier = common.clone();
  outlier[0][0][0][0] = 20;
  EXPECT_LT(range(outlier).high, 15);
  EXPECT_EQ(range(at::ones({1, 1, 2, 2})).low, 0) << "a range holds 0";
  EXPECT_GT(range(at::zeros({1, 1, 2, 2})).high, 0) << "a range is never empty";
}

TEST(Int8, ValuesAreRoundedToTheNearestStep) {
  const at::Tensor x = at::arange(0, 256, at::kFloat).view({1, 1, 16, 16}) / 100;
  const onnx::Graph graph = Quantize(Identity(), {{"image", {0, 2.55f}}, {"y", {0, 2.55f}}});
  EXPECT_LT((Logits(graph, x) - x).abs().max().item<double>(), 1e-5);
  const at::Tensor between = x + 0.004;
  EXPECT_LT((Logits(graph, between) - between).abs().max().item<double>(), 0.0051);
  EXPECT_LT((Logits(graph, x + 10) - 2.55).abs().max().item<double>(), 1e-5) << "what is beyond is cut off";
}

}  // namespace
}  // namespace spotter
