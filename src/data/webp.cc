// SPDX-License-Identifier: Apache-2.0
// WebP to pixels by libwebp: lossy and lossless, still pictures only.
#include <webp/decode.h>

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

}  // namespace

bool IsWebp(std::string_view bytes) {
  return bytes.size() >= 16 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP";
}

ImageShape ReadWebpHeader(std::string_view bytes) {
  const WebPBitstreamFeatures features = Features(bytes);
  return {features.height, features.width, 3};
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
    return image;
  }
  image.pixels.reserve(image.shape.size());
  for (size_t i = 0; i < decoded.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) image.pixels.push_back(OverWhite(decoded[i + c], decoded[i + 3]));
  }
  return image;
}

}  // namespace spotter
