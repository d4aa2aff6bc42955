// SPDX-License-Identifier: Apache-2.0
#include "api/predict.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/checked_json.h"
#include "api/multipart.h"
#include "base/base64.h"
#include "base/text.h"

namespace spotter::api {
namespace {

constexpr int64_t kMostTop = 100000;

/// "Image/PNG; q=1" -> "image/png".
std::string MediaType(const HttpRequest& request) {
  const std::string* type = request.Header("Content-Type");
  return type == nullptr ? "" : Lowercase(Trim(std::string_view(*type).substr(0, type->find(';'))));
}

bool IsRaw(const std::string& type) { return type.starts_with("image/") || type == "application/octet-stream"; }

void SetTop(PredictRequest& asked, std::string_view text) {
  const auto number = ParseInteger(text);
  if (!number || *number < 1 || *number > kMostTop)
    throw Refusal(400, fmt::format("top: a whole number from 1 to {} was expected, '{}' was found", kMostTop,
                                   Printable(text.substr(0, 40))));
  asked.top = *number;
}

void SetHeatMap(PredictRequest& asked, std::string_view text) {
  if (text != "" && text != "hirescam" && text != "gradcam")
    throw Refusal(
        400, fmt::format("heat_map: hirescam or gradcam was expected, '{}' was found", Printable(text.substr(0, 40))));
  asked.heat_map = text;
}

void AddImage(PredictRequest& asked, GivenImage image) {
  if (asked.images.list.size() == kMostImages)
    throw Refusal(413, fmt::format("more than {} images in one request", kMostImages));
  asked.images.list.push_back(std::move(image));
}

void ReadForm(const HttpRequest& request, PredictRequest& asked) {
  for (const FormPart& part : ParseMultipart(request.body, *request.Header("Content-Type"), kMostImages + 8)) {
    if (part.is_file)
      AddImage(asked, {.name = ValidUtf8(part.file_name), .bytes = part.content});
    else if (part.name == "model")
      asked.model = part.content;
    else if (part.name == "top")
      SetTop(asked, part.content);
    else if (part.name == "heat_map")
      SetHeatMap(asked, part.content);
    else
      throw Refusal(400, fmt::format("the form's field '{}' is not known: files, model, top and heat_map are",
                                     Printable(part.name.substr(0, 40))));
  }
}

void AddBase64(PredictRequest& asked, const GivenJson& value) {
  if (!value.is_string()) throw Refusal(400, "an image is not a text; base64 was expected");
  std::string_view text = TextOf(value);
  if (text.starts_with("data:")) text.remove_prefix(std::min(text.size(), text.find(',') + 1));
  auto bytes = DecodeBase64(text);
  if (!bytes) throw Refusal(400, fmt::format("image {} is not base64", asked.images.list.size() + 1));
  AddImage(asked, {.bytes = asked.images.unpacked.emplace_back(*std::move(bytes))});
}

void ReadJson(const HttpRequest& request, PredictRequest& asked) {
  const GivenJson json = ParseObject(request.body);
  for (const auto& [key, value] : json.items()) {
    if (key != "image" && key != "images" && key != "model" && key != "top" && key != "heat_map")
      throw Refusal(400, fmt::format("\"{}\" is not known: image, images, model, top and heat_map are",
                                     Printable(key.substr(0, 40))));
  }
  if (const GivenJson* model = FindText(json, "model")) asked.model = TextOf(*model);
  if (const auto top = FindInteger(json, "top", 1, kMostTop)) asked.top = *top;
  if (const GivenJson* heat = FindText(json, "heat_map")) SetHeatMap(asked, TextOf(*heat));
  if (const auto image = json.find("image"); image != json.end()) AddBase64(asked, *image);
  if (const GivenJson* images = FindArray(json, "images")) {
    for (const GivenJson& image : *images) AddBase64(asked, image);
  }
}

}  // namespace

void CheckContentType(const HttpRequest& request) {
  const std::string type = MediaType(request);
  if (IsRaw(type) || type == "multipart/form-data" || type == "application/json") return;
  throw Refusal(415, fmt::format("Content-Type is '{}'; image/jpeg, image/png, image/webp, application/octet-stream, "
                                 "multipart/form-data or application/json was expected",
                                 Printable(type.substr(0, 80))));
}

PredictRequest ReadQuery(const HttpRequest& request) {
  PredictRequest asked;
  asked.model = QueryValue(request.query, "model").value_or("");
  if (const auto top = QueryValue(request.query, "top")) SetTop(asked, *top);
  if (const auto heat = QueryValue(request.query, "heat_map")) SetHeatMap(asked, *heat);
  return asked;
}

void ReadBody(const HttpRequest& request, PredictRequest& asked) {
  const std::string type = MediaType(request);
  if (IsRaw(type))
    AddImage(asked, {.bytes = request.body});
  else if (type == "multipart/form-data")
    ReadForm(request, asked);
  else
    ReadJson(request, asked);
  if (asked.images.list.empty()) throw Refusal(400, "the request holds no image");
}

HttpResponse WritePredictions(const std::string& model, const std::string& version,
                              const std::vector<ImagePrediction>& predictions, double seconds) {
  Json list = Json::array();
  for (const ImagePrediction& prediction : predictions) {
    Json json = Json::object();
    if (!prediction.name.empty()) json["name"] = prediction.name;
    if (!prediction.problem.empty()) {
      json["error"] = prediction.problem;
    } else {
      json["top"] = Json::array();
      for (const auto& [name, probability] : prediction.top)
        json["top"].push_back({{"class", name}, {"probability", probability}});
      if (!prediction.heat_map.empty()) json["heat_map"] = prediction.heat_map;
    }
    list.push_back(std::move(json));
  }
  const bool none =
      std::none_of(predictions.begin(), predictions.end(), [](const auto& p) { return p.problem.empty(); });
  Json answer = Json::object();
  if (none) {
    answer["error"] = predictions.size() == 1 ? "the image can't be used: " + predictions.front().problem
                                              : "none of the images can be used";
  }
  answer["model"] = model;
  answer["version"] = version;
  answer["predictions"] = std::move(list);
  answer["seconds"] = seconds;
  return {.status = none ? 400 : 200, .content_type = "application/json", .body = DumpJson(answer) + "\n"};
}

}  // namespace spotter::api
