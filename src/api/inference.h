// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol, version 2 (KServe; Triton's HTTP interface), with Triton's extensions for binary tensors
// and classification.
//
// A model takes one of two inputs and has three outputs:
//   image          UINT8 [images, height, width, channels]   decoded pixels of any one size
//   encoded_image  BYTES [images]                            JPEG, PNG or WebP files
//   probabilities  FP32 [images, classes]      label  BYTES [images]      logits  FP32 [images, classes]
// The names are those of the ONNX file (docs/export.md), which has the first input only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/given_image.h"
#include "base/json.h"
#include "http/http_message.h"

namespace spotter::api {

struct WantedOutput {
  std::string name;
  bool binary = false;
  int64_t classification = 0;  // so many of the best classes as "value:index:label" in place of the values; 0: values
};

struct InferRequest {
  std::string id;
  GivenImages images;
  std::vector<WantedOutput> outputs;  // all three, when none was named
};

/// Reads the body of POST /v2/models/M/infer. `channels` are the model's. Throws Refusal(400, 413).
InferRequest ReadInferRequest(const HttpRequest& request, int channels);

/// What a model has answered.
struct InferAnswer {
  std::string model;
  std::string version;
  std::span<const std::string> classes;
  std::vector<float> logits;         // (images, classes)
  std::vector<float> probabilities;  // (images, classes)
};

HttpResponse WriteInferAnswer(const InferRequest& request, const InferAnswer& answer);

/// The bodies of GET /v2, /v2/models/M and /v2/models/M/config.
Json ServerMetadata();
Json ModelMetadata(const std::string& name, const std::vector<std::string>& versions, int channels, size_t classes);
Json ModelConfig(const std::string& name, int channels, size_t classes, int64_t largest_batch);

}  // namespace spotter::api
