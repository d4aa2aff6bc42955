// SPDX-License-Identifier: Apache-2.0
#include "onnx/file.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"

namespace spotter::onnx {
namespace {

Model Small() {
  Model model;
  model.producer = "test";
  model.producer_version = "1.2";
  model.description = "a model";
  model.metadata = {{"classes", "[\"a\"]"}, {"empty", ""}};
  model.graph.name = "g";
  model.graph.inputs = {{"x", Type::kUint8, {"N", int64_t{4}}}};
  model.graph.outputs = {{"y", Type::kFloat, {"N", int64_t{2}}}};
  model.graph.constants = {{"w", Type::kFloat, {2, 1}, std::string("\0\0\x80\x3f\0\0\0\xc0", 8)},
                           {"names", Type::kString, {2}, "", {"cat", "d\xc3\xb6g"}},
                           {"none", Type::kInt64, {0}, ""}};
  model.graph.nodes = {{"Conv",
                        {"x", "", "w"},
                        {"y"},
                        {{"pads", std::vector<int64_t>{0, -1, 1}},
                         {"alpha", 0.3f},
                         {"axis", int64_t{-1}},
                         {"mode", std::string("reflect")},
                         {"scales", std::vector<float>{1.5f}}}}};
  return model;
}

std::string Problem(const std::string& bytes) {
  try {
    Decode(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kModel);
    return error.what();
  }
  return "";
}

TEST(OnnxFile, ComesBackAsItWas) {
  const Model model = Small();
  const Model back = Decode(Encode(model));
  EXPECT_EQ(back.ir_version, 7);
  EXPECT_EQ(back.opset, 13);
  EXPECT_EQ(back.producer, "test");
  EXPECT_EQ(back.producer_version, "1.2");
  EXPECT_EQ(back.description, "a model");
  EXPECT_EQ(back.metadata, model.metadata);
  EXPECT_EQ(back.graph.name, "g");
  ASSERT_EQ(back.graph.inputs.size(), 1u);
  EXPECT_EQ(back.graph.inputs[0].type, Type::kUint8);
  EXPECT_EQ(back.graph.inputs[0].dims, model.graph.inputs[0].dims);
  EXPECT_EQ(back.graph.outputs[0].name, "y");
  ASSERT_EQ(back.graph.constants.size(), 3u);
  EXPECT_EQ(back.graph.constants[0].dims, model.graph.constants[0].dims);
  EXPECT_EQ(back.graph.constants[0].bytes, model.graph.constants[0].bytes);
  EXPECT_EQ(back.graph.constants[1].strings, model.graph.constants[1].strings);
  ASSERT_EQ(back.graph.nodes.size(), 1u);
  EXPECT_EQ(back.graph.nodes[0].op, "Conv");
  EXPECT_EQ(back.graph.nodes[0].inputs, model.graph.nodes[0].inputs);
  EXPECT_EQ(back.graph.nodes[0].outputs, model.graph.nodes[0].outputs);
  EXPECT_EQ(back.graph.nodes[0].attributes, model.graph.nodes[0].attributes);
}

TEST(OnnxFile, OtherFilesAreRefused) {
  EXPECT_NE(Problem(""), "");
  EXPECT_NE(Problem("PK\x03\x04 a zip file, most likely"), "");
  EXPECT_NE(Problem("{\"json\": true}"), "");
}

TEST(OnnxFile, TensorsMustHoldWhatTheirShapesSay) {
  Model model = Small();
  model.graph.constants[0].dims = {3, 1};
  EXPECT_NE(Problem(Encode(model)).find("'w' has not as many values"), std::string::npos);
  model.graph.constants[0].dims = {int64_t{1} << 40, int64_t{1} << 40};
  EXPECT_NE(Problem(Encode(model)).find("'w' has an impossible shape"), std::string::npos);
  model.graph.constants[0].dims = {-2, -1};
  EXPECT_NE(Problem(Encode(model)).find("'w' has an impossible shape"), std::string::npos);
}

// Whatever the bytes, the answer is a model or an Error.
TEST(OnnxFile, DamagedBytesAreAnErrorOrAModel) {
  const std::string whole = Encode(Small());
  std::mt19937 random(1);
  for (size_t length = 0; length < whole.size(); ++length) Problem(whole.substr(0, length));
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    Problem(bytes);
  }
}

}  // namespace
}  // namespace spotter::onnx
