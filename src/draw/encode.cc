// SPDX-License-Identifier: Apache-2.0
// Pixels to the bytes of files, by libpng and libwebp.
#include <png.h>
#include <webp/encode.h>

#include <algorithm>

#include "base/base64.h"
#include "base/error.h"
#include "draw/pixels.h"

namespace spotter {

Picture ToPicture(const PixelView& pixels) {
  Picture picture{pixels.height, pixels.width, {}};
  const size_t count = static_cast<size_t>(pixels.height) * pixels.width;
  picture.rgb.reserve(count * 3);
  for (size_t i = 0; i < count; ++i) {
    for (size_t c = 0; c < 3; ++c) picture.rgb.push_back(pixels.data[pixels.channels == 1 ? i : i * 3 + c]);
  }
  return picture;
}

namespace {

std::vector<uint8_t> Enlarged(const PixelView& pixels, int factor) {
  std::vector<uint8_t> large;
  large.reserve(static_cast<size_t>(pixels.height) * pixels.width * pixels.channels * factor * factor);
  for (int y = 0; y < pixels.height * factor; ++y) {
    const uint8_t* row = pixels.data + static_cast<size_t>(y / factor) * pixels.width * pixels.channels;
    for (int x = 0; x < pixels.width * factor; ++x) {
      const uint8_t* pixel = row + static_cast<size_t>(x / factor) * pixels.channels;
      large.insert(large.end(), pixel, pixel + pixels.channels);
    }
  }
  return large;
}

}  // namespace

std::string EncodePng(const PixelView& pixels, int enlarged) {
  if (enlarged > 1) {
    const std::vector<uint8_t> large = Enlarged(pixels, enlarged);
    return EncodePng({pixels.height * enlarged, pixels.width * enlarged, pixels.channels, large.data()});
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = pixels.channels == 1 ? PNG_FORMAT_GRAY : pixels.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data, 0, nullptr) == 0) {
    Fail(ExitCode::kInternal, "a PNG of {} x {} pixels can't be made: {}", pixels.width, pixels.height, image.message);
  }
  bytes.resize(size);
  return bytes;
}

std::string EncodeWebp(const PixelView& pixels, int quality) {
  const Picture picture = ToPicture(pixels);
  uint8_t* encoded = nullptr;
  const size_t size = WebPEncodeRGB(picture.rgb.data(), picture.width, picture.height, picture.width * 3,
                                    static_cast<float>(std::clamp(quality, 0, 100)), &encoded);
  const std::string bytes(reinterpret_cast<const char*>(encoded), size);
  WebPFree(encoded);
  if (size == 0) {
    Fail(ExitCode::kInternal, "a WebP of {} x {} pixels can't be made (at most {} on a side)", pixels.width,
         pixels.height, WEBP_MAX_DIMENSION);
  }
  return bytes;
}

std::string DataUri(std::string_view mime, std::string_view bytes) {
  return fmt::format("data:{};base64,{}", mime, EncodeBase64(bytes));
}

}  // namespace spotter
