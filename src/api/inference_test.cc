// SPDX-License-Identifier: Apache-2.0
#include "api/inference.h"

#include "support/test_support.h"

namespace spotter::api {
namespace {

HttpRequest Request(const std::string& body, const std::string& json_length = "") {
  HttpRequest request{.method = "POST", .body = body};
  if (!json_length.empty()) request.headers.emplace_back("inference-header-content-length", json_length);
  return request;
}

int StatusOf(const std::string& body, const std::string& json_length = "") {
  const HttpRequest request = Request(body, json_length);
  try {
    ReadInferRequest(request, 3);
    return 200;
  } catch (const Refusal& refusal) {
    EXPECT_EQ(std::string(refusal.what()).find('\n'), std::string::npos);
    return refusal.status();
  }
}

std::string Input(const std::string& members) { return "{\"inputs\": [{" + members + "}]}"; }

TEST(InferRequest, TakesPixelsFlatOrNested) {
  for (const char* data : {"[1,2,3,4,5,6]", "[[[[1,2,3],[4,5,6]]]]"}) {
    const HttpRequest request =
        Request(Input(R"("name": "image", "datatype": "UINT8", "shape": [1,1,2,3], "data": )" + std::string(data)));
    const InferRequest asked = ReadInferRequest(request, 3);
    ASSERT_EQ(asked.images.list.size(), 1U);
    EXPECT_EQ(asked.images.list[0].bytes, "\1\2\3\4\5\6");
    EXPECT_EQ(asked.images.list[0].shape, (ImageShape{1, 2, 3}));
    ASSERT_EQ(asked.outputs.size(), 3U);
    EXPECT_EQ(asked.outputs[0].name, "probabilities");
  }
}

TEST(InferRequest, TakesBinaryTensors) {
  const std::string json = R"({"id": "7", "inputs": [{"name": "encoded_image", "datatype": "BYTES", "shape": [2],
    "parameters": {"binary_data_size": 11}}], "outputs": [{"name": "logits", "parameters": {"binary_data": true}},
    {"name": "probabilities", "parameters": {"classification": 2}}]})";
  const std::string binary("\1\0\0\0A\2\0\0\0BC", 11);
  const HttpRequest request = Request(json + binary, std::to_string(json.size()));
  const InferRequest asked = ReadInferRequest(request, 3);
  EXPECT_EQ(asked.id, "7");
  ASSERT_EQ(asked.images.list.size(), 2U);
  EXPECT_EQ(asked.images.list[0].bytes, "A");
  EXPECT_EQ(asked.images.list[1].bytes, "BC");
  ASSERT_EQ(asked.outputs.size(), 2U);
  EXPECT_TRUE(asked.outputs[0].binary);
  EXPECT_EQ(asked.outputs[1].classification, 2);
  const HttpRequest raw = Request("JPEG", "0");
  EXPECT_EQ(ReadInferRequest(raw, 3).images.list[0].bytes, "JPEG");
}

TEST(InferRequest, SaysWhatIsWrong) {
  const std::string image = R"("name": "image", "datatype": "UINT8", )";
  for (
      const std::string& body : {
          std::string("{}"),
          std::string(R"({"inputs": []})"),
          std::string(R"({"inputs": [1]})"),
          Input(R"("name": "image")"),
          Input(R"("name": "x", "datatype": "UINT8", "shape": [1], "data": [1])"),
          Input(R"("name": "image", "datatype": "FP32", "shape": [1,1,1,3], "data": [1,2,3])"),
          Input(image + R"("shape": [1,1,1,3])"),
          Input(image + R"("shape": [1,1,1,3], "data": [1,2])"),
          Input(image + R"("shape": [1,1,1,1], "data": [1])"),
          Input(image + R"("shape": [3], "data": [1,2,3])"),
          Input(image + R"("shape": [0,1,1,3], "data": [])"),
          Input(image + R"("shape": [1,0,1,3], "data": [])"),
          Input(image + R"("shape": [-1,1,1,3], "data": [1,2,3])"),
          Input(image + R"("shape": [1,1,1,3], "data": [1,2,256])"),
          Input(image + R"("shape": [1,1,1,3], "data": [1,2,-1])"),
          Input(image + R"("shape": [1,1,1,3], "data": [1,2,"3"])"),
          Input(image + R"("shape": [1,1,1,3], "data": 7)"),
          Input(image + R"("shape": [1,1000000000,1000000000,3], "data": [1])"),
          Input(image + R"("shape": [1,1,1,3], "parameters": {"binary_data_size": 3})"),
          Input(image + R"("shape": [1,1,1,3], "parameters": {"binary_data_size": -3})"),
          Input(image + R"("shape": [1,1,1,3], "data": [1,2,3], "parameters": {"binary_data_size": 3})"),
          Input(R"("name": "encoded_image", "datatype": "BYTES", "shape": [1], "data": ["*"])"),
          Input(R"("name": "encoded_image", "datatype": "BYTES", "shape": [2], "data": ["Zg=="])"),
          Input(R"("name": "encoded_image", "datatype": "BYTES", "shape": [1,1,1,1], "data": ["Zg=="])"),
          std::string(
              R"({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1,1,1,3], "data": [1,2,3]}], "outputs": [{"name": "x"}]})"),
          std::string(
              R"({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1,1,1,3], "data": [1,2,3]}], "outputs": [{}]})"),
      }) {
    EXPECT_EQ(StatusOf(body), 400) << body;
  }
  EXPECT_EQ(StatusOf("{}", "3"), 400);
  EXPECT_EQ(StatusOf("{}", "-1"), 400);
  EXPECT_EQ(StatusOf("{}", "2x"), 400);
  const std::string good = Input(R"("name": "image", "datatype": "UINT8", "shape": [1,1,1,3], "data": [1,2,3])");
  EXPECT_EQ(StatusOf(good), 200);
  EXPECT_EQ(StatusOf(good + "more", std::to_string(good.size())), 400);
  const std::string cut =
      Input(R"("name": "encoded_image", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 5})");
  EXPECT_EQ(StatusOf(cut + std::string("\2\0\0\0A", 5), std::to_string(cut.size())), 400);
  EXPECT_EQ(StatusOf(cut + std::string("\xFF\xFF\xFF\xFF"
                                       "A",
                                       5),
                     std::to_string(cut.size())),
            400);
}

TEST(InferAnswer, IsWhatWasAskedFor) {
  const std::vector<std::string> classes = {"cat", "dog", "owl"};
  const InferAnswer answer{
      .model = "m", .version = "1", .classes = classes, .logits = {1, 3, 2}, .probabilities = {0.125F, 0.625F, 0.25F}};
  InferRequest asked;
  asked.id = "42";
  asked.outputs = {{.name = "label"}, {.name = "probabilities", .classification = 2}, {.name = "logits"}};
  EXPECT_EQ(Json::parse(WriteInferAnswer(asked, answer).body),
            Json::parse(R"({"model_name": "m", "model_version": "1", "id": "42",
    "outputs": [{"name": "label", "datatype": "BYTES", "shape": [1], "data": ["dog"]},
    {"name": "probabilities", "datatype": "BYTES", "shape": [1, 2], "data": ["0.625000:1:dog", "0.250000:2:owl"]},
    {"name": "logits", "datatype": "FP32", "shape": [1, 3], "data": [1.0, 3.0, 2.0]}]})"));

  asked.outputs = {{.name = "logits", .binary = true}, {.name = "label", .binary = true}};
  const HttpResponse binary = WriteInferAnswer(asked, answer);
  ASSERT_EQ(binary.headers.size(), 1U);
  const size_t length = std::stoul(binary.headers[0].second);
  const float values[] = {1, 3, 2};
  EXPECT_EQ(binary.body.substr(length),
            std::string(reinterpret_cast<const char*>(values), 12) + std::string("\3\0\0\0dog", 7));
  EXPECT_EQ(Json::parse(binary.body.substr(0, length)).at("outputs")[1].at("parameters").at("binary_data_size"), 7);
}

}  // namespace
}  // namespace spotter::api
