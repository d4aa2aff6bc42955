// SPDX-License-Identifier: Apache-2.0
// WebP to pixels by libwebp: lossy and lossless, still pictures only.
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <utility>

#include "base/error.h"
#include "data/codecs.h"

namespace spotter {
namespace {

const uint8_t* Bytes(std::string_view bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

WebPBitstreamFeatures Features(std::string_view bytes) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(Bytes(bytes), bytes.size(), &features) != VP8_STATUS_OK) {
    Fail(ExitCode::kData, "damaged: the WebP's header can't be read");
  }
  if (features.has_animation != 0) Fail(ExitCode::kData, "an animation; expected a single picture");
  return features;
}

/// EXIF stands behind the pixels: a file that is not whole has none.
int Orientation(std::string_view bytes) {
  const WebPData data{Bytes(bytes), bytes.size()};
  const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data), &WebPDemuxDelete);
  WebPChunkIterator exif;
  if (demuxer == nullptr || WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &exif) == 0) return 1;
  std::string_view tiff(reinterpret_cast<const char*>(exif.chunk.bytes), exif.chunk.size);
  constexpr std::string_view kJpegsPrefix("Exif\0\0", 6);  // as some programs leave it
  if (tiff.starts_with(kJpegsPrefix)) tiff.remove_prefix(kJpegsPrefix.size());
  const int orientation = ExifOrientation(tiff);
  WebPDemuxReleaseChunkIterator(&exif);
  return orientation;
}

/// Whether EXIF is announced, and the file ends before it may come.
bool LacksItsExif(std::string_view bytes) {
  constexpr size_t kFlags = 20, kExif = 0x08;
  const auto byte = [&](size_t at) { return static_cast<size_t>(static_cast<uint8_t>(bytes[at])); };
  const bool announced = bytes.size() > kFlags && bytes.substr(12, 4) == "VP8X" && (byte(kFlags) & kExif) != 0;
  return announced && bytes.size() < 8 + (byte(4) | byte(5) << 8 | byte(6) << 16 | byte(7) << 24);
}

}  // namespace

bool IsWebp(std::string_view bytes) {
  return bytes.size() >= 16 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP";
}

ImageShape ReadWebpHeader(std::string_view bytes) {
  const WebPBitstreamFeatures features = Features(bytes);
  if (LacksItsExif(bytes)) Fail(ExitCode::kData, "damaged: the WebP's end is missing");
  ImageShape shape{features.height, features.width, 3};
  if (Orientation(bytes) >= 5) std::swap(shape.height, shape.width);
  return shape;
}

Image DecodeWebp(std::string_view bytes) {
  const WebPBitstreamFeatures features = Features(bytes);
  Image image;
  image.shape = {features.height, features.width, 3};
  const int channels = features.has_alpha != 0 ? 4 : 3;
  const int row_bytes = features.width * channels;
  std::vector<uint8_t> decoded(static_cast<size_t>(row_bytes) * features.height);
  const auto decode = channels == 4 ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(Bytes(bytes), bytes.size(), decoded.data(), decoded.size(), row_bytes) == nullptr) {
    Fail(ExitCode::kData, "damaged: the WebP's pixels can't be decoded");
  }
  if (channels == 3) {
    image.pixels = std::move(decoded);
    return ApplyOrientation(std::move(image), Orientation(bytes));
  }
  image.pixels.reserve(image.shape.size());
  for (size_t i = 0; i < decoded.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) image.pixels.push_back(OverWhite(decoded[i + c], decoded[i + 3]));
  }
  return ApplyOrientation(std::move(image), Orientation(bytes));
}

}  // namespace spotter
