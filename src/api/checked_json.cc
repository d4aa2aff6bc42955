// SPDX-License-Identifier: Apache-2.0
#include "api/checked_json.h"

#include <fmt/format.h>

#include "api/given_image.h"

namespace spotter::api {
namespace {

constexpr int kDeepest = 32;

// A value takes some fifty bytes of memory, however short it is. 256 images of CIFAR-10 as numbers are 786,432.
constexpr size_t kMostValues = size_t{1} << 20;

/// Of what lies outside of texts, before anything is made of it: how deep brackets are nested, and how many values
/// there can be.
struct Extent {
  int depth = 0;
  size_t values = 1;
};
Extent Measure(std::string_view text) {
  Extent extent;
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == ',' || c == '[' || c == '{') {
      ++extent.values;
      if (c != ',') extent.depth = std::max(extent.depth, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return extent;
}

const GivenJson* Find(const GivenJson& object, const char* name, GivenJson::value_t kind, const char* kind_name) {
  const auto found = object.find(name);
  if (found == object.end()) return nullptr;
  if (found->type() != kind)
    throw Refusal(400, fmt::format("\"{}\" is {}; {} was expected", name, found->type_name(), kind_name));
  return &*found;
}

}  // namespace

GivenJson ParseObject(std::string_view text) {
  const Extent extent = Measure(text);
  if (extent.depth > kDeepest) throw Refusal(400, fmt::format("the JSON is nested deeper than {}", kDeepest));
  if (extent.values > kMostValues)
    throw Refusal(413, fmt::format("the JSON has more than {} values; send files or binary tensors", kMostValues));
  GivenJson json = GivenJson::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Refusal(400, "the body is not JSON");
  if (!json.is_object()) throw Refusal(400, fmt::format("the JSON is {}; an object was expected", json.type_name()));
  return json;
}

const GivenJson* FindText(const GivenJson& object, const char* name) {
  return Find(object, name, GivenJson::value_t::string, "a text");
}
const GivenJson* FindArray(const GivenJson& object, const char* name) {
  return Find(object, name, GivenJson::value_t::array, "an array");
}
const GivenJson* FindObject(const GivenJson& object, const char* name) {
  return Find(object, name, GivenJson::value_t::object, "an object");
}

std::optional<int64_t> FindInteger(const GivenJson& object, const char* name, int64_t least, int64_t most) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  const bool fits = found->is_number_integer() && (!found->is_number_unsigned() || found->get<uint64_t>() <= INT64_MAX);
  if (!fits || found->get<int64_t>() < least || found->get<int64_t>() > most)
    throw Refusal(400, fmt::format("\"{}\": a whole number from {} to {} was expected", name, least, most));
  return found->get<int64_t>();
}

std::optional<bool> FindBool(const GivenJson& object, const char* name) {
  const GivenJson* found = Find(object, name, GivenJson::value_t::boolean, "true or false");
  return found == nullptr ? std::nullopt : std::optional<bool>(found->get<bool>());
}

}  // namespace spotter::api
