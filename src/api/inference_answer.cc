// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "api/inference.h"
#include "base/version.h"

namespace spotter::api {
namespace {

std::string LittleEndian(uint32_t number) {
  std::string bytes(4, '\0');
  for (size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  return bytes;
}

/// One tensor of the answer, in the form that was asked for.
struct Tensor {
  std::string datatype;
  std::vector<size_t> shape;
  std::vector<std::string> texts;  // BYTES
  std::span<const float> numbers;  // FP32

  std::string Binary() const {
    std::string bytes;
    for (const std::string& text : texts) bytes += LittleEndian(static_cast<uint32_t>(text.size())) + text;
    bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
    return bytes;
  }
  Json Data() const {
    Json data = Json::array();
    for (const std::string& text : texts) data.push_back(text);
    for (const float number : numbers) data.push_back(number);
    return data;
  }
};

std::vector<size_t> Best(std::span<const float> row, size_t count) {
  std::vector<size_t> order(row.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return row[a] > row[b]; });
  order.resize(std::min(count, order.size()));
  return order;
}

Tensor MakeTensor(const WantedOutput& wanted, const InferAnswer& answer) {
  const size_t classes = answer.classes.size();
  const size_t images = answer.logits.size() / classes;
  const std::span<const float> values = wanted.name == "logits" ? answer.logits : answer.probabilities;
  const auto row = [&](size_t i) { return values.subspan(i * classes, classes); };
  Tensor tensor{.datatype = "BYTES", .shape = {images}, .texts = {}, .numbers = {}};
  if (wanted.name == "label") {
    for (size_t i = 0; i < images; ++i) tensor.texts.push_back(answer.classes[Best(row(i), 1).front()]);
  } else if (wanted.classification > 0) {
    const size_t count = std::min(static_cast<size_t>(wanted.classification), classes);
    tensor.shape.push_back(count);
    for (size_t i = 0; i < images; ++i) {
      for (const size_t c : Best(row(i), count))
        tensor.texts.push_back(fmt::format("{:.6f}:{}:{}", row(i)[c], c, answer.classes[c]));
    }
  } else {
    tensor = {.datatype = "FP32", .shape = {images, classes}, .texts = {}, .numbers = values};
  }
  return tensor;
}

Json Described(const char* name, const char* datatype, const std::vector<int64_t>& shape) {
  return {{"name", name}, {"datatype", datatype}, {"shape", shape}};
}

}  // namespace

HttpResponse WriteInferAnswer(const InferRequest& request, const InferAnswer& answer) {
  Json json = {{"model_name", answer.model}, {"model_version", answer.version}};
  if (!request.id.empty()) json["id"] = request.id;
  json["outputs"] = Json::array();
  std::string binary;
  for (const WantedOutput& wanted : request.outputs) {
    const Tensor tensor = MakeTensor(wanted, answer);
    Json output = {{"name", wanted.name}, {"datatype", tensor.datatype}, {"shape", tensor.shape}};
    if (wanted.binary) {
      const std::string bytes = tensor.Binary();
      output["parameters"] = {{"binary_data_size", bytes.size()}};
      binary += bytes;
    } else {
      output["data"] = tensor.Data();
    }
    json["outputs"].push_back(std::move(output));
  }
  HttpResponse response{.content_type = "application/json", .body = DumpJson(json)};
  const bool any_binary =
      std::any_of(request.outputs.begin(), request.outputs.end(), [](const auto& o) { return o.binary; });
  if (any_binary) {
    response.content_type = "application/octet-stream";
    response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(response.body.size()));
    response.body += binary;
  }
  return response;
}

Json ServerMetadata() {
  return {{"name", "spotter"},
          {"version", kVersion},
          {"extensions", {"classification", "binary_tensor_data", "model_configuration"}}};
}

Json ModelMetadata(const std::string& name, const std::vector<std::string>& versions, int channels, size_t classes) {
  const auto count = static_cast<int64_t>(classes);
  return {{"name", name},
          {"versions", versions},
          {"platform", "spotter_safetensors"},
          {"inputs", {Described("image", "UINT8", {-1, -1, -1, channels}), Described("encoded_image", "BYTES", {-1})}},
          {"outputs",
           {Described("probabilities", "FP32", {-1, count}), Described("label", "BYTES", {-1}),
            Described("logits", "FP32", {-1, count})}}};
}

Json ModelConfig(const std::string& name, int channels, size_t classes, int64_t largest_batch) {
  const auto entry = [](const char* tensor, const char* type, std::vector<int64_t> dims) {
    return Json{{"name", tensor}, {"data_type", type}, {"dims", std::move(dims)}};
  };
  Json image = entry("image", "TYPE_UINT8", {-1, -1, channels});
  Json encoded = entry("encoded_image", "TYPE_STRING", {});
  image["optional"] = encoded["optional"] = true;  // one of the two is given
  const auto count = static_cast<int64_t>(classes);
  return {{"name", name},
          {"platform", "spotter_safetensors"},
          {"backend", "spotter"},
          {"max_batch_size", largest_batch},
          {"input", {image, encoded}},
          {"output",
           {entry("probabilities", "TYPE_FP32", {count}), entry("label", "TYPE_STRING", {}),
            entry("logits", "TYPE_FP32", {count})}},
          {"dynamic_batching", Json::object()}};
}

}  // namespace spotter::api
