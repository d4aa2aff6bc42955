// SPDX-License-Identifier: Apache-2.0
// Reads a JPEG's size, components and EXIF orientation by walking its markers, without a decoder; and what EXIF says.
//
// ISO/IEC 10918-1 annex B (markers), JEITA CP-3451 (EXIF in APP1, a TIFF directory, tag 0x0112).
#include <optional>

#include "base/error.h"
#include "data/codecs.h"

namespace spotter {
namespace {

/// Big- or little-endian numbers at an offset; nothing where the bytes end.
class Numbers {
 public:
  Numbers(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::optional<uint32_t> U16(size_t at) const { return Read(at, 2); }
  std::optional<uint32_t> U32(size_t at) const { return Read(at, 4); }

 private:
  std::optional<uint32_t> Read(size_t at, size_t n) const {
    if (at > bytes_.size() || bytes_.size() - at < n) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < n; ++i) {
      value = value << 8 | static_cast<uint8_t>(bytes_[at + (big_endian_ ? i : n - 1 - i)]);
    }
    return value;
  }

  std::string_view bytes_;
  bool big_endian_;
};

bool IsStartOfFrame(uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool HasNoLength(uint8_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

}  // namespace

int ExifOrientation(std::string_view tiff) {
  if (!tiff.starts_with("II") && !tiff.starts_with("MM")) return 1;
  const Numbers numbers(tiff, tiff[0] == 'M');
  const auto directory = numbers.U32(4);
  if (numbers.U16(2) != 42u || !directory) return 1;
  const auto entries = numbers.U16(*directory);
  for (uint32_t i = 0; entries && i < *entries; ++i) {
    const size_t entry = size_t{*directory} + 2 + size_t{12} * i;
    const auto tag = numbers.U16(entry);
    if (!tag) return 1;
    if (*tag != 0x0112) continue;
    const auto value = numbers.U16(entry + 8);
    return numbers.U16(entry + 2) == 3u && value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

bool IsJpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }

JpegHeader ParseJpegHeader(std::string_view bytes) {
  JpegHeader header;
  bool has_orientation = false;
  const Numbers numbers(bytes, true);
  for (size_t at = 2;;) {
    at = bytes.find('\xFF', at);
    if (at != std::string_view::npos) at = bytes.find_first_not_of('\xFF', at);
    if (at == std::string_view::npos) break;
    const auto marker = static_cast<uint8_t>(bytes[at++]);
    if (marker == 0x00 || HasNoLength(marker)) continue;
    if (marker == 0xD9 || marker == 0xDA) break;  // pixels or the end before any size
    const auto length = numbers.U16(at);
    if (!length || *length < 2 || bytes.size() - at < *length) break;
    const std::string_view segment = bytes.substr(at + 2, *length - 2);
    if (IsStartOfFrame(marker)) {
      if (segment.size() < 6) break;
      header.height = static_cast<int>(*numbers.U16(at + 3));
      header.width = static_cast<int>(*numbers.U16(at + 5));
      header.components = static_cast<uint8_t>(segment[5]);
      return header;
    }
    constexpr std::string_view kExif("Exif\0\0", 6);
    if (marker == 0xE1 && !has_orientation && segment.starts_with(kExif)) {
      header.orientation = ExifOrientation(segment.substr(kExif.size()));
      has_orientation = header.orientation != 1;
    }
    at += *length;
  }
  Fail(ExitCode::kData, "damaged: the JPEG ends before its size is told");
}

ImageShape ReadJpegHeader(std::string_view bytes) {
  const JpegHeader header = ParseJpegHeader(bytes);
  ImageShape shape{header.height, header.width, header.components == 1 ? 1 : 3};
  if (header.orientation >= 5) std::swap(shape.height, shape.width);
  return shape;
}

}  // namespace spotter
