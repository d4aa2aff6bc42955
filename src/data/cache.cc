// SPDX-License-Identifier: Apache-2.0
// A cache file: a fixed header, the description (names, labels, hashes of the pixels in pieces), the pixels.
//
// Little-endian, as every machine we run on. The hash in the header covers the description, which covers the pixels.
#include "data/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "base/parallel.h"
#include "data/description.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "SPOTIMGS";
constexpr std::string_view kEnding = ".spotter-images";

struct Header {
  std::array<char, 8> magic{};
  int64_t version = 0;
  int64_t description_bytes = 0;
  int64_t pixel_bytes = 0;
  std::array<char, 16> description_hash{};
};
static_assert(sizeof(Header) == 48);

std::string DescriptionHash(const Header& header, std::string_view description) {
  FastHash hash;
  hash.AddNumber(header.version);
  hash.AddNumber(header.pixel_bytes);
  hash.Add(description);
  return hash.Hex();
}

/// A file to read at given places.
class InputFile {
 public:
  explicit InputFile(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
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
  /// The file's times become now. Where that is not allowed it may be removed a little early, no more.
  void Touch() const { static_cast<void>(::futimens(fd_, nullptr)); }

 private:
  int fd_;
};

/// Reads the pixels piece by piece; false where a piece can't be read or is not what its hash says.
bool ReadPixels(const InputFile& file, int64_t offset, int64_t bytes, const std::vector<std::string>& hashes,
                int threads, uint8_t* pixels) {
  std::atomic<bool> good{true};
  ParallelFor(static_cast<int64_t>(hashes.size()), threads, [&](int64_t i) {
    uint8_t* target = pixels + i * kPixelPiece;
    const int64_t n = std::min(kPixelPiece, bytes - i * kPixelPiece);
    const std::string_view view(reinterpret_cast<const char*>(target), static_cast<size_t>(n));
    if (!good || !file.ReadAt(offset + i * kPixelPiece, n, target) || HashOf(view) != hashes[i]) good = false;
  });
  return good;
}

struct CacheFile {
  fs::path path;
  fs::file_time_type used;
  int64_t bytes = 0;
};

/// The files in the folder with such an ending. One that vanishes meanwhile is left out: others tidy up as well.
template <typename Wanted>
std::vector<CacheFile> FilesIn(const fs::path& folder, Wanted wanted) {
  std::vector<CacheFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!wanted(entry->path().filename().string())) continue;
    std::error_code gone;
    CacheFile file{entry->path(), entry->last_write_time(gone), 0};
    if (!gone) file.bytes = static_cast<int64_t>(entry->file_size(gone));
    if (!gone) files.push_back(std::move(file));
  }
  return files;
}

void RemoveLeftovers(const fs::path& folder) {
  const auto is_leftover = [](std::string_view name) {
    return name.starts_with('.') && name.find(std::string(kEnding) + ".tmp.") != std::string_view::npos;
  };
  for (const CacheFile& file : FilesIn(folder, is_leftover)) {
    std::error_code ignored;
    if (fs::file_time_type::clock::now() - file.used > std::chrono::hours(1)) fs::remove(file.path, ignored);
  }
}

void RemoveLeastUsed(const fs::path& folder, const fs::path& keep, int64_t most_bytes) {
  std::vector<CacheFile> files = FilesIn(folder, [](std::string_view name) { return name.ends_with(kEnding); });
  std::sort(files.begin(), files.end(), [](const CacheFile& a, const CacheFile& b) { return a.used < b.used; });
  int64_t total = 0;
  for (const CacheFile& file : files) total += file.bytes;
  for (const CacheFile& file : files) {
    std::error_code ignored;
    if (total <= most_bytes) return;
    if (file.path != keep && fs::remove(file.path, ignored)) total -= file.bytes;
  }
}

}  // namespace

fs::path CachePath(const std::string& key) { return CacheFolder() / "decoded" / (key + std::string(kEnding)); }

std::optional<Dataset> ReadCache(const std::string& key, int threads) {
  const InputFile file(CachePath(key));
  const int64_t size = file.size();
  Header header;
  if (size < static_cast<int64_t>(sizeof header) || !file.ReadAt(0, sizeof header, &header)) return std::nullopt;
  const int64_t rest = size - static_cast<int64_t>(sizeof header);
  if (std::string_view(header.magic.data(), header.magic.size()) != kMagic || header.version != kCacheVersion ||
      header.description_bytes < 0 || header.description_bytes > rest ||
      header.pixel_bytes != rest - header.description_bytes) {
    return std::nullopt;
  }
  std::string bytes(static_cast<size_t>(header.description_bytes), '\0');
  if (!file.ReadAt(sizeof header, header.description_bytes, bytes.data())) return std::nullopt;
  if (DescriptionHash(header, bytes) != std::string_view(header.description_hash.data(), 16)) return std::nullopt;

  std::optional<Description> description = Understand(bytes);
  if (!description || description->key != key) return std::nullopt;
  Dataset& data = description->data;
  const int64_t pieces = (header.pixel_bytes + kPixelPiece - 1) / kPixelPiece;
  if (header.pixel_bytes % data.shape.size() != 0 || header.pixel_bytes / data.shape.size() != data.size() ||
      static_cast<int64_t>(description->pixel_hashes.size()) != pieces) {
    return std::nullopt;
  }
  const auto pixels = std::make_shared_for_overwrite<uint8_t[]>(static_cast<size_t>(header.pixel_bytes));
  const int64_t offset = static_cast<int64_t>(sizeof header) + header.description_bytes;
  if (!ReadPixels(file, offset, header.pixel_bytes, description->pixel_hashes, threads, pixels.get())) {
    return std::nullopt;
  }
  file.Touch();
  data.pixels = pixels;
  return std::move(data);
}

void WriteCache(const std::string& key, const Dataset& data, int threads, int64_t most_bytes) {
  const fs::path path = CachePath(key);
  MakeFolders(path.parent_path());
  RemoveLeftovers(path.parent_path());
  const std::string description = Describe(key, data, HashPixels(data, threads));
  const std::string_view pixels(reinterpret_cast<const char*>(data.pixels.get()),
                                static_cast<size_t>(data.size() * data.shape.size()));
  Header header;
  std::copy(kMagic.begin(), kMagic.end(), header.magic.begin());
  header.version = kCacheVersion;
  header.description_bytes = static_cast<int64_t>(description.size());
  header.pixel_bytes = static_cast<int64_t>(pixels.size());
  const std::string hash = DescriptionHash(header, description);
  std::copy(hash.begin(), hash.end(), header.description_hash.begin());
  const std::array<std::string_view, 3> pieces = {
      std::string_view(reinterpret_cast<const char*>(&header), sizeof header), description, pixels};
  WriteFileAtomically(path, pieces);
  RemoveLeastUsed(path.parent_path(), path, most_bytes);
}

}  // namespace spotter
