// SPDX-License-Identifier: Apache-2.0
// POST /api/predict: images in, the most probable classes of each out.
//
// The body is one of
//   an image file as it is                Content-Type: image/jpeg, image/png, image/webp or application/octet-stream
//   a form with files                     multipart/form-data; every file is an image
//   {"images": ["base64", ...]}           application/json; or {"image": "base64"}; data: URLs will do
// and what is asked stands in the query, in fields of the form or in the JSON: model, top, heat_map.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/given_image.h"
#include "base/json.h"
#include "http/http_message.h"

namespace spotter::api {

struct PredictRequest {
  std::string model;     // empty: the first
  int64_t top = 5;       // classes to tell of each image
  std::string heat_map;  // "": none; "hirescam", "gradcam"
  GivenImages images;    // at least one
};

/// Whether a body of this content type can be read at all. Throws Refusal(415) when not.
void CheckContentType(const HttpRequest& request);

/// What the query asks. Throws Refusal(400).
PredictRequest ReadQuery(const HttpRequest& request);

/// Adds what the body asks. Throws Refusal(400, 413).
void ReadBody(const HttpRequest& request, PredictRequest& asked);

struct ImagePrediction {
  std::string name;
  std::string problem;                              // why the image could not be used; the rest is empty then
  std::vector<std::pair<std::string, double>> top;  // class, probability
  std::string heat_map;                             // a PNG as a data: URL
};

/// The answer: {"model", "version", "predictions": [{"name"?, "top": [{"class", "probability"}], "heat_map"?} or
/// {"name"?, "error"}], "seconds"}. A status of 200 as soon as one of the images could be read, else 400.
HttpResponse WritePredictions(const std::string& model, const std::string& version,
                              const std::vector<ImagePrediction>& predictions, double seconds);

}  // namespace spotter::api
