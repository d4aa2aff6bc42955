// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "api/checked_json.h"
#include "api/inference.h"
#include "base/base64.h"
#include "base/text.h"
#include "data/image.h"

namespace spotter::api {
namespace {

constexpr std::array kOutputs = {"probabilities", "label", "logits"};

[[noreturn]] void Bad(const std::string& message) { throw Refusal(400, message); }

/// The size of the JSON in front of the binary tensors.
std::string_view JsonPart(const HttpRequest& request) {
  const std::string* header = request.Header("Inference-Header-Content-Length");
  if (header == nullptr) return request.body;
  const auto length = ParseInteger(*header);
  if (!length || *length < 0 || static_cast<uint64_t>(*length) > request.body.size())
    Bad(fmt::format("Inference-Header-Content-Length is '{}'; a number from 0 to the body's {} bytes was expected",
                    Printable(header->substr(0, 40)), request.body.size()));
  return std::string_view(request.body).substr(0, static_cast<size_t>(*length));
}

std::vector<int64_t> ReadShape(const GivenJson& input) {
  const GivenJson* list = FindArray(input, "shape");
  if (list == nullptr) Bad("an input has no \"shape\"");
  std::vector<int64_t> shape;
  for (const GivenJson& side : *list) {
    if (!side.is_number_unsigned() || side.get<uint64_t>() > (1 << 30))
      Bad("\"shape\" is not a list of whole numbers from 0 on");
    shape.push_back(side.get<int64_t>());
  }
  return shape;
}

void CheckCount(int64_t images) {
  if (images < 1) Bad("the request holds no image");
  if (images > static_cast<int64_t>(kMostImages))
    throw Refusal(413, fmt::format("more than {} images in one request", kMostImages));
}

/// A flat or nested array of whole numbers from 0 to 255, in order.
void AppendPixels(const GivenJson& data, std::string& pixels) {
  for (const GivenJson& value : data) {
    if (value.is_array()) {
      AppendPixels(value, pixels);
    } else if (value.is_number_unsigned() && value.get<uint64_t>() <= 255) {
      pixels += static_cast<char>(value.get<uint64_t>());
    } else {
      Bad("\"data\" of UINT8 is not made of whole numbers from 0 to 255");
    }
  }
}

void ReadPixels(const std::vector<int64_t>& shape, std::string_view pixels, int channels, GivenImages& images) {
  if (shape.size() != 4 || shape[3] != channels)
    Bad(fmt::format("\"image\" has the shape [{}]; [images, height, width, {}] was expected", fmt::join(shape, ", "),
                    channels));
  CheckCount(shape[0]);
  if (shape[1] < 1 || shape[2] < 1 || shape[1] > kMaxImageSide || shape[2] > kMaxImageSide ||
      shape[1] * shape[2] > kMaxImagePixels)
    Bad(fmt::format("images of {} x {} pixels; 1 to {} a side, at most {} in all, were expected", shape[2], shape[1],
                    kMaxImageSide, kMaxImagePixels));
  const auto size = static_cast<size_t>(shape[1] * shape[2] * shape[3]);
  const auto count = static_cast<size_t>(shape[0]);
  if (pixels.size() != count * size)
    Bad(fmt::format("\"image\" has {} values; its shape [{}] asks for {}", pixels.size(), fmt::join(shape, ", "),
                    count * size));
  for (size_t i = 0; i < count; ++i)
    images.list.push_back({.bytes = pixels.substr(i * size, size),
                           .shape = {static_cast<int>(shape[1]), static_cast<int>(shape[2]), channels}});
}

/// Each element is its length, 4 bytes, the lowest first, and then that many bytes.
void ReadElements(std::string_view bytes, GivenImages& images) {
  while (!bytes.empty()) {
    uint32_t length = 0;
    if (bytes.size() >= sizeof length) std::memcpy(&length, bytes.data(), sizeof length);
    if (bytes.size() < sizeof length || length > bytes.size() - sizeof length)
      Bad("the binary data of BYTES is cut short");
    images.list.push_back({.bytes = bytes.substr(sizeof length, length)});
    bytes.remove_prefix(sizeof length + length);
    CheckCount(static_cast<int64_t>(images.list.size()));
  }
}

void ReadEncoded(const std::vector<int64_t>& shape, const GivenImages& images) {
  // [n], or [n, 1] as clients send that put the batch in front.
  int64_t wanted = 1;
  for (const int64_t side : shape) wanted *= std::min<int64_t>(side, 1 << 20);
  if (shape.empty() || shape.size() > 2 || wanted != static_cast<int64_t>(images.list.size()))
    Bad(fmt::format("\"encoded_image\" has {} elements; its shape is [{}]", images.list.size(),
                    fmt::join(shape, ", ")));
  CheckCount(wanted);
}

/// JSON holds no bytes, so that each text is a file's base64.
void AppendTexts(const GivenJson& data, GivenImages& images) {
  for (const GivenJson& value : data) {
    if (value.is_array()) {
      AppendTexts(value, images);
      continue;
    }
    auto bytes = value.is_string() ? DecodeBase64(TextOf(value)) : std::nullopt;
    if (!bytes) Bad("\"data\" of BYTES is not made of base64 texts");
    CheckCount(static_cast<int64_t>(images.list.size()) + 1);
    images.list.push_back({.bytes = images.unpacked.emplace_back(*std::move(bytes))});
  }
}

void ReadInput(const GivenJson& input, std::string_view& binary, int channels, GivenImages& images) {
  if (!input.is_object()) Bad("an input is not an object");
  const GivenJson* name = FindText(input, "name");
  const GivenJson* type = FindText(input, "datatype");
  if (name == nullptr || type == nullptr) Bad("an input has no \"name\" or no \"datatype\"");
  const bool pixels = TextOf(*name) == "image";
  if (!pixels && TextOf(*name) != "encoded_image")
    Bad(fmt::format("the input '{}' is not known: image or encoded_image was expected",
                    Printable(TextOf(*name).substr(0, 40))));
  if (TextOf(*type) != (pixels ? "UINT8" : "BYTES"))
    Bad(fmt::format("\"{}\" is of {}; {} was expected", TextOf(*name), Printable(TextOf(*type).substr(0, 40)),
                    pixels ? "UINT8" : "BYTES"));
  const std::vector<int64_t> shape = ReadShape(input);
  const GivenJson* parameters = FindObject(input, "parameters");
  std::optional<int64_t> size;
  if (parameters != nullptr) size = FindInteger(*parameters, "binary_data_size", 0, INT64_MAX);
  const GivenJson* data = FindArray(input, "data");
  if (size.has_value() == (data != nullptr)) Bad("an input needs either \"data\" or the parameter binary_data_size");
  if (size && static_cast<uint64_t>(*size) > binary.size())
    Bad(fmt::format("binary_data_size is {}, and {} bytes follow", *size, binary.size()));
  const std::string_view bytes = binary.substr(0, static_cast<size_t>(size.value_or(0)));
  binary.remove_prefix(bytes.size());
  if (pixels) {
    if (data != nullptr) AppendPixels(*data, images.unpacked.emplace_back());
    ReadPixels(shape, data != nullptr ? std::string_view(images.unpacked.back()) : bytes, channels, images);
  } else {
    if (data != nullptr)
      AppendTexts(*data, images);
    else
      ReadElements(bytes, images);
    ReadEncoded(shape, images);
  }
}

WantedOutput ReadOutput(const GivenJson& output, bool binary) {
  if (!output.is_object()) Bad("an output is not an object");
  const GivenJson* name = FindText(output, "name");
  if (name == nullptr) Bad("an output has no \"name\"");
  WantedOutput wanted{.name = TextOf(*name), .binary = binary};
  if (std::find(kOutputs.begin(), kOutputs.end(), wanted.name) == kOutputs.end())
    Bad(fmt::format("the output '{}' is not known: {} are", Printable(wanted.name.substr(0, 40)),
                    fmt::join(kOutputs, ", ")));
  if (const GivenJson* parameters = FindObject(output, "parameters")) {
    wanted.binary = FindBool(*parameters, "binary_data").value_or(binary);
    wanted.classification = FindInteger(*parameters, "classification", 0, 100000).value_or(0);
  }
  if (wanted.classification > 0 && wanted.name == "label") Bad("\"label\" has no classification: it is one");
  return wanted;
}

}  // namespace

InferRequest ReadInferRequest(const HttpRequest& request, int channels) {
  const std::string_view text = JsonPart(request);
  std::string_view binary = std::string_view(request.body).substr(text.size());
  InferRequest asked;
  bool binary_outputs = false;
  if (text.empty() && request.Header("Inference-Header-Content-Length") != nullptr) {
    // Triton's raw request: the body is the one element of the one input that takes any bytes.
    asked.images.list.push_back({.bytes = binary});
    binary = {};
  } else {
    const GivenJson json = ParseObject(text);
    if (const GivenJson* id = FindText(json, "id")) asked.id = TextOf(*id);
    if (const GivenJson* parameters = FindObject(json, "parameters"))
      binary_outputs = FindBool(*parameters, "binary_data_output").value_or(false);
    const GivenJson* inputs = FindArray(json, "inputs");
    if (inputs == nullptr || inputs->size() != 1) Bad("one input was expected: image or encoded_image");
    ReadInput(inputs->front(), binary, channels, asked.images);
    if (!binary.empty()) Bad(fmt::format("{} bytes follow that no input asks for", binary.size()));
    if (const GivenJson* outputs = FindArray(json, "outputs")) {
      if (outputs->size() > 16) Bad("more than 16 outputs");
      for (const GivenJson& output : *outputs) asked.outputs.push_back(ReadOutput(output, binary_outputs));
    }
  }
  if (asked.outputs.empty()) {
    for (const char* name : kOutputs) asked.outputs.push_back({.name = name, .binary = binary_outputs});
  }
  return asked;
}

}  // namespace spotter::api
