// SPDX-License-Identifier: Apache-2.0
// Numbers and texts one after another, little-endian, each text behind its length.
#include "data/description.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/digest.h"
#include "base/parallel.h"
#include "data/image.h"

namespace spotter {
namespace {

static_assert(std::endian::native == std::endian::little);

class Writer {
 public:
  void Number(int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void Text(std::string_view text) {
    Number(static_cast<int64_t>(text.size()));
    bytes_ += text;
  }
  void Texts(const std::vector<std::string>& texts) {
    Number(static_cast<int64_t>(texts.size()));
    for (const std::string& text : texts) Text(text);
  }
  template <typename T>
  void Array(const std::vector<T>& values) {
    Text({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what Writer wrote. Past the end it gives zeros and turns bad.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  int64_t Number() {
    int64_t value = 0;
    const std::string_view bytes = Take(sizeof value);
    if (good_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  /// A number of things that each take at least 8 bytes here.
  size_t Count() {
    const int64_t n = Number();
    if (n < 0 || static_cast<uint64_t>(n) > rest_.size() / 8) good_ = false;
    return good_ ? static_cast<size_t>(n) : 0;
  }
  std::string_view Text() {
    const int64_t n = Number();
    return Take(n < 0 ? rest_.size() + 1 : static_cast<size_t>(n));
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts(Count());
    for (std::string& text : texts) text = Text();
    return texts;
  }
  template <typename T>
  std::vector<T> Array() {
    const std::string_view bytes = Text();
    if (bytes.size() % sizeof(T) != 0) good_ = false;
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }
  bool AtGoodEnd() const { return good_ && rest_.empty(); }

 private:
  std::string_view Take(size_t n) {
    if (n > rest_.size()) good_ = false;
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  std::string_view rest_;
  bool good_ = true;
};

/// What makes a data set this one: nothing of where it lies, how it is packed, or when it was written.
void WriteContent(const Dataset& data, const std::vector<std::string>& pixel_hashes, Writer* out) {
  for (const int64_t n : {data.shape.height, data.shape.width, data.shape.channels}) out->Number(n);
  out->Array(data.labels);
  out->Array(data.parts);
  out->Texts(data.classes);
  out->Texts(data.names);
  out->Texts(pixel_hashes);
}

void ReadContent(Reader* in, Dataset* data, std::vector<std::string>* pixel_hashes) {
  for (int* n : {&data->shape.height, &data->shape.width, &data->shape.channels}) {
    *n = static_cast<int>(std::clamp<int64_t>(in->Number(), 0, kMaxImageSide + 1));
  }
  data->labels = in->Array<int32_t>();
  data->parts = in->Array<Part>();
  data->classes = in->Texts();
  data->names = in->Texts();
  *pixel_hashes = in->Texts();
}

bool IsPossible(const Dataset& data) {
  const auto side = [](int n) { return n >= 1 && n <= kMaxImageSide; };
  const auto label = [&](int32_t n) { return n >= 0 && static_cast<size_t>(n) < data.classes.size(); };
  const auto part = [](Part one) { return static_cast<uint8_t>(one) <= static_cast<uint8_t>(Part::kTest); };
  return side(data.shape.height) && side(data.shape.width) && (data.shape.channels == 1 || data.shape.channels == 3) &&
         !data.labels.empty() && std::all_of(data.labels.begin(), data.labels.end(), label) &&
         data.parts.size() == data.labels.size() && std::all_of(data.parts.begin(), data.parts.end(), part) &&
         data.names.size() == data.labels.size();
}

}  // namespace

std::string HashOf(std::string_view bytes) {
  FastHash hash;
  hash.Add(bytes);
  return hash.Hex();
}

std::vector<std::string> HashPixels(const Dataset& data, int threads) {
  const std::string_view pixels(reinterpret_cast<const char*>(data.pixels.get()),
                                static_cast<size_t>(data.size() * data.shape.size()));
  std::vector<std::string> hashes((pixels.size() + kPixelPiece - 1) / kPixelPiece);
  ParallelFor(static_cast<int64_t>(hashes.size()), threads,
              [&](int64_t i) { hashes[i] = HashOf(pixels.substr(i * kPixelPiece, kPixelPiece)); });
  return hashes;
}

std::string Fingerprint(const Dataset& data, const std::vector<std::string>& pixel_hashes) {
  Writer out;
  WriteContent(data, pixel_hashes, &out);
  return HashOf(out.bytes());
}

std::string Describe(const std::string& key, const Dataset& data, const std::vector<std::string>& pixel_hashes) {
  Writer out;
  out.Text(key);
  out.Text(data.layout);
  out.Number(data.resized ? 1 : 0);
  out.Number(static_cast<int64_t>(data.skipped.size()));
  for (const SkippedFile& file : data.skipped) {
    out.Text(file.name);
    out.Text(file.reason);
  }
  WriteContent(data, pixel_hashes, &out);
  return out.bytes();
}

std::optional<Description> Understand(std::string_view bytes) {
  Description description;
  Dataset& data = description.data;
  Reader in(bytes);
  description.key = in.Text();
  data.layout = in.Text();
  data.resized = in.Number() != 0;
  data.skipped.resize(in.Count());
  for (SkippedFile& file : data.skipped) {
    file.name = in.Text();
    file.reason = in.Text();
  }
  ReadContent(&in, &data, &description.pixel_hashes);
  if (!in.AtGoodEnd() || !IsPossible(data)) return std::nullopt;
  data.fingerprint = Fingerprint(data, description.pixel_hashes);
  return description;
}

}  // namespace spotter
