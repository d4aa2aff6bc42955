// SPDX-License-Identifier: Apache-2.0
#include "model_file/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace spotter {
namespace {

using nlohmann::json;
static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr uint64_t kMostHeader = 16 << 20;
constexpr size_t kMostTensors = 65536;
constexpr size_t kMostRank = 8;
constexpr size_t kMostName = 512;
constexpr size_t kMostDepth = 3;  // header, tensor, shape

/// Bytes of one element, 0 for a dtype that we don't read.
int64_t ElementBytes(std::string_view dtype) {
  if (dtype == "BOOL" || dtype == "U8" || dtype == "I8") return 1;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  return 0;
}

/// Passes over JSON without keeping it; refuses what the parser would silently take: a key twice, and nesting without
/// end.
class Guard : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return Enter(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) Fail(ExitCode::kModel, "the header names '{}' twice", name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

 private:
  bool Enter() {
    keys_.emplace_back();
    if (keys_.size() > kMostDepth) Fail(ExitCode::kModel, "the header is nested too deep");
    return true;
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }
  std::vector<std::set<std::string>> keys_;  // of each object (or array, then none) that is open
};

json ParseStrictly(std::string_view text) {
  Guard guard;
  if (!json::sax_parse(text, &guard)) Fail(ExitCode::kModel, "the header is not JSON");
  return json::parse(text);
}

int64_t NonNegative(const json& value, const std::string& name) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{1} << 62) {
    Fail(ExitCode::kModel, "tensor '{}' has a size or offset that is not a whole number", name);
  }
  return static_cast<int64_t>(value.get<uint64_t>());
}

struct Entry {
  TensorRecord record;
  int64_t begin;
  int64_t end;
};

Entry ReadEntry(const std::string& name, const json& value) {
  const bool names_fit = !name.empty() && name.size() <= kMostName &&
                         std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!names_fit) Fail(ExitCode::kModel, "a tensor's name is empty, too long or has control characters");
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets") || !value["dtype"].is_string() || !value["shape"].is_array() ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2 || value["shape"].size() > kMostRank) {
    Fail(ExitCode::kModel, "tensor '{}' is not described by dtype, shape and data_offsets", name);
  }
  Entry entry{{name, value["dtype"].get<std::string>(), {}, {}}, 0, 0};
  int64_t bytes = ElementBytes(entry.record.dtype);
  if (bytes == 0)
    Fail(ExitCode::kModel, "tensor '{}' has the dtype '{}', which is not read here", name, entry.record.dtype);
  for (const json& side : value["shape"]) {
    entry.record.shape.push_back(NonNegative(side, name));
    if (__builtin_mul_overflow(bytes, entry.record.shape.back(), &bytes)) {
      Fail(ExitCode::kModel, "tensor '{}' has a shape too large to exist", name);
    }
  }
  entry.begin = NonNegative(value["data_offsets"][0], name);
  entry.end = NonNegative(value["data_offsets"][1], name);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    Fail(ExitCode::kModel, "tensor '{}' of {} bytes by its shape has offsets {} to {}", name, bytes, entry.begin,
         entry.end);
  }
  return entry;
}

void Parse(SafetensorsFile& file) {
  const std::string_view content = file.content;
  uint64_t length = 0;
  if (content.size() < sizeof length) Fail(ExitCode::kModel, "it has {} bytes, too few for a header", content.size());
  std::memcpy(&length, content.data(), sizeof length);
  if (length > kMostHeader || length > content.size() - sizeof length) {
    Fail(ExitCode::kModel, "its header would be {} bytes long, but the file has {}", length, content.size());
  }
  const std::string_view header_text = content.substr(sizeof length, length);
  if (!header_text.starts_with('{')) Fail(ExitCode::kModel, "its header does not begin with '{{'");
  const std::string_view data = content.substr(sizeof length + length);

  std::vector<Entry> entries;
  const json header = ParseStrictly(header_text);
  if (header.size() > kMostTensors)
    Fail(ExitCode::kModel, "it names {} tensors, more than {}", header.size(), kMostTensors);
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(ReadEntry(name, value));
      continue;
    }
    if (!value.is_object()) Fail(ExitCode::kModel, "its __metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) Fail(ExitCode::kModel, "its __metadata__ '{}' is not a string", key);
      file.metadata[key] = text.get<std::string>();
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  int64_t expected = 0;
  for (Entry& entry : entries) {
    if (entry.begin != expected) {
      Fail(ExitCode::kModel, "tensor '{}' begins at {}, where {} was expected", entry.record.name, entry.begin,
           expected);
    }
    if (entry.end > static_cast<int64_t>(data.size())) {
      Fail(ExitCode::kModel, "it is cut short: tensor '{}' ends at {}, but there are {} bytes of data",
           entry.record.name, entry.end, data.size());
    }
    entry.record.bytes = data.substr(static_cast<size_t>(entry.begin), static_cast<size_t>(entry.end - entry.begin));
    expected = entry.end;
    file.tensors.push_back(std::move(entry.record));
  }
  if (expected != static_cast<int64_t>(data.size())) {
    Fail(ExitCode::kModel, "there are {} bytes of data, but its tensors end at {}", data.size(), expected);
  }
}

}  // namespace

const TensorRecord* SafetensorsFile::Find(std::string_view name) const {
  for (const TensorRecord& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

SafetensorsFile ReadSafetensors(const std::filesystem::path& path) {
  SafetensorsFile file;
  file.content = ReadFile(path);
  try {
    Parse(file);
  } catch (const Error& error) {
    Fail(ExitCode::kModel, "'{}' is not a valid safetensors file: {}; take another copy of it", path.string(),
         Printable(error.what()));
  }
  return file;
}

void WriteSafetensors(const std::filesystem::path& path, std::vector<TensorRecord> tensors,
                      const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorRecord& a, const TensorRecord& b) {
    return std::pair(-ElementBytes(a.dtype), a.name) < std::pair(-ElementBytes(b.dtype), b.name);
  });
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const TensorRecord& tensor : tensors) {
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text =
      tensors.empty() && metadata.empty() ? "{}" : header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  std::vector<std::string_view> pieces = {{reinterpret_cast<const char*>(&length), sizeof length}, text};
  for (const TensorRecord& tensor : tensors) pieces.push_back(tensor.bytes);
  WriteFileAtomically(path, pieces);
}

}  // namespace spotter
