// SPDX-License-Identifier: Apache-2.0
// Chooses the decoder by the first bytes and checks the limits on size before anything is decoded.
#include "data/image.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "data/codecs.h"

namespace spotter {
namespace {

void CheckLimits(const ImageShape& shape) {
  if (shape.width < 1 || shape.height < 1) Fail(ExitCode::kData, "damaged: it has no pixels");
  if (shape.width <= kMaxImageSide && shape.height <= kMaxImageSide &&
      int64_t{shape.width} * shape.height <= kMaxImagePixels) {
    return;
  }
  Fail(ExitCode::kData, "too large: {} x {} pixels; at most {} a side and {} in all are read", shape.width,
       shape.height, WithThousands(kMaxImageSide), WithThousands(kMaxImagePixels));
}

}  // namespace

bool LooksLikeImage(std::string_view bytes) { return IsJpeg(bytes) || IsPng(bytes) || IsWebp(bytes); }

ImageShape ReadImageHeader(std::string_view bytes) {
  if (bytes.empty()) Fail(ExitCode::kData, "empty: 0 bytes");
  if (!LooksLikeImage(bytes)) Fail(ExitCode::kData, "not a JPEG, PNG or WebP image");
  const ImageShape shape = IsJpeg(bytes)  ? ReadJpegHeader(bytes)
                           : IsPng(bytes) ? ReadPngHeader(bytes)
                                          : ReadWebpHeader(bytes);
  CheckLimits(shape);
  return shape;
}

Image DecodeImage(std::string_view bytes) {
  ReadImageHeader(bytes);  // for its checks
  if (IsJpeg(bytes)) return DecodeJpeg(bytes);
  if (IsPng(bytes)) return DecodePng(bytes);
  return DecodeWebp(bytes);
}

Dataset ToDataset(std::span<const Image> images, const ImageShape& shape) {
  Dataset data;
  data.shape = shape;
  data.labels.resize(images.size());
  const std::shared_ptr<uint8_t[]> pixels(new uint8_t[images.size() * static_cast<size_t>(shape.size())]);
  uint8_t* to = pixels.get();
  for (const Image& image : images) to = std::copy(image.pixels.begin(), image.pixels.end(), to);
  data.pixels = pixels;
  return data;
}

}  // namespace spotter
