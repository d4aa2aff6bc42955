// SPDX-License-Identifier: Apache-2.0
// The cache file: a fixed header, the description (names, labels, hashes of the pixels in pieces), the
// pixels.
//
// Little-endian, as every machine we run on. The hash in the header covers the description, which covers the
// pixels.
#include "data/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"

namespace spotter {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "SPOTIMGS";
constexpr int64_t kPiece = 1 << 20;  // of pixels, hashed on its own so that several cores share the work

struct Header {
  std::array<char, 8> magic{};
  int64_t version = 0;
  int64_t description_bytes = 0;
  int64_t pixel_bytes = 0;
  std::array<char, 16> description_hash{};
};
static_assert(sizeof(Header) == 48);

/// Numbers and texts one after another.
class Writer {
 public:
  void Number(int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void Text(std::string_view text) {
    Number(static_cast<int64_t>(text.size()));
    bytes_ += text;
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
  template <typename T>
  std::vector<T> Array() {
    const std::string_view bytes = Text();
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

std::string HashOf(std::string_view bytes) {
  FastHash hash;
  hash.Add(bytes);
  return hash.Hex();
}

std::string DescriptionHash(const Header& header, std::string_view description) {
  FastHash hash;
  hash.AddNumber(header.version);
  hash.AddNumber(header.pixel_bytes);
  hash.Add(description);
  return hash.Hex();
}

int64_t PieceCount(int64_t bytes) { return (bytes + kPiece - 1) / kPiece; }

std::string Describe(const Dataset& data, const std::vector<std::string>& hashes) {
  Writer out;
  out.Text(data.fingerprint);
  out.Text(data.layout);
  for (const int64_t n : {data.shape.height, data.shape.width, data.shape.channels}) out.Number(n);
  out.Array(data.labels);
  out.Array(data.parts);
  const auto texts = [&](const auto& all, auto... text) {
    out.Number(static_cast<int64_t>(all.size()));
    for (const auto& one : all) (out.Text(text(one)), ...);
  };
  const auto itself = [](const std::string& text) { return std::string_view(text); };
  texts(data.classes, itself);
  texts(data.names, itself);
  texts(
      data.skipped, [](const SkippedFile& file) { return std::string_view(file.name); },
      [](const SkippedFile& file) { return std::string_view(file.reason); });
  texts(hashes, itself);
  return out.bytes();
}

/// False where the description does not hold together.
bool Understand(std::string_view description, Dataset* data, std::vector<std::string>* hashes) {
  Reader in(description);
  data->fingerprint = in.Text();
  data->layout = in.Text();
  for (int* n : {&data->shape.height, &data->shape.width, &data->shape.channels})
    *n = static_cast<int>(in.Number());
  data->labels = in.Array<int32_t>();
  data->parts = in.Array<Part>();
  const auto texts = [&](std::vector<std::string>* all) {
    all->resize(in.Count());
    for (std::string& text : *all) text = in.Text();
  };
  texts(&data->classes);
  texts(&data->names);
  data->skipped.resize(in.Count());
  for (SkippedFile& file : data->skipped) {
    file.name = in.Text();
    file.reason = in.Text();
  }
  texts(hashes);
  return in.AtGoodEnd() && data->parts.size() == data->labels.size() &&
         data->names.size() == data->labels.size();
}

/// A file to read at given places.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~InputFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int64_t size() const {
    struct stat info {};
    return fd_ >= 0 && ::fstat(fd_, &info) == 0 ? info.st_size : -1;
  }
  bool ReadAt(int64_t offset, int64_t n, void* target) const {
    for (auto* to = static_cast<char*>(target); n > 0;) {
      const ssize_t got = ::pread(fd_, to, static_cast<size_t>(n), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      to += got;
      offset += got;
      n -= got;
    }
    return true;
  }

 private:
  int fd_;
};

bool ReadPixels(const InputFile& file, int64_t offset, int64_t bytes, const std::vector<std::string>& hashes,
                int threads, uint8_t* pixels) {
  std::atomic<bool> good{true};
  ParallelFor(PieceCount(bytes), threads, [&](int64_t i) {
    uint8_t* target = pixels + i * kPiece;
    const int64_t n = std::min(kPiece, bytes - i * kPiece);
    const std::string_view view(reinterpret_cast<const char*>(target), static_cast<size_t>(n));
    if (!good || !file.ReadAt(offset + i * kPiece, n, target) || HashOf(view) != hashes[i]) good = false;
  });
  return good;
}

}  // namespace

std::filesystem::path CachePath(const std::string& fingerprint) {
  return CacheFolder() / "decoded" / (fingerprint + ".spotter-images");
}

std::optional<Dataset> ReadCache(const std::filesystem::path& path, const std::string& fingerprint,
                                 int threads) {
  const InputFile file(path);
  const int64_t size = file.size();
  Header header;
  if (size < static_cast<int64_t>(sizeof header) || !file.ReadAt(0, sizeof header, &header))
    return std::nullopt;
  const int64_t rest = size - static_cast<int64_t>(sizeof header);
  if (std::string_view(header.magic.data(), header.magic.size()) != kMagic ||
      header.version != kCacheVersion || header.description_bytes < 0 || header.description_bytes > rest ||
      header.pixel_bytes != rest - header.description_bytes) {
    return std::nullopt;
  }
  std::string description(static_cast<size_t>(header.description_bytes), '\0');
  if (!file.ReadAt(sizeof header, header.description_bytes, description.data())) return std::nullopt;
  if (DescriptionHash(header, description) != std::string_view(header.description_hash.data(), 16))
    return std::nullopt;

  Dataset data;
  std::vector<std::string> hashes;
  if (!Understand(description, &data, &hashes) || data.fingerprint != fingerprint ||
      data.size() * data.shape.size() != header.pixel_bytes ||
      static_cast<int64_t>(hashes.size()) != PieceCount(header.pixel_bytes)) {
    return std::nullopt;
  }
  const auto pixels = std::make_shared_for_overwrite<uint8_t[]>(static_cast<size_t>(header.pixel_bytes));
  const int64_t offset = static_cast<int64_t>(sizeof header) + header.description_bytes;
  if (!ReadPixels(file, offset, header.pixel_bytes, hashes, threads, pixels.get())) return std::nullopt;
  data.pixels = pixels;
  return data;
}

void WriteCache(const std::filesystem::path& path, const Dataset& data, int threads) {
  Header header;
  std::copy(kMagic.begin(), kMagic.end(), header.magic.begin());
  header.version = kCacheVersion;
  header.pixel_bytes = data.size() * data.shape.size();
  const std::string_view pixels(reinterpret_cast<const char*>(data.pixels.get()),
                                static_cast<size_t>(header.pixel_bytes));
  std::vector<std::string> hashes(PieceCount(header.pixel_bytes));
  ParallelFor(static_cast<int64_t>(hashes.size()), threads,
              [&](int64_t i) { hashes[i] = HashOf(pixels.substr(i * kPiece, kPiece)); });
  const std::string description = Describe(data, hashes);
  header.description_bytes = static_cast<int64_t>(description.size());
  const std::string hash = DescriptionHash(header, description);
  std::copy(hash.begin(), hash.end(), header.description_hash.begin());
  MakeFolders(path.parent_path());
  const std::array<std::string_view, 3> pieces = {
      std::string_view(reinterpret_cast<const char*>(&header), sizeof header), description, pixels};
  WriteFileAtomically(path, pieces);
}

}  // namespace spotter
