// SPDX-License-Identifier: Apache-2.0
// Pixels for a report: encoded for a page, shrunk, and with a map of heat laid over them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spotter {

/// A view of uint8 pixels, (H, W, C), C order; channels 1 (grey) or 3 (RGB).
struct PixelView {
  int height = 0;
  int width = 0;
  int channels = 3;
  const uint8_t* data = nullptr;
};

/// An owned picture, RGB (H, W, 3).
struct Picture {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> rgb;
  PixelView view() const { return {height, width, 3, rgb.data()}; }
};

/// A copy as RGB; grey is repeated.
Picture ToPicture(const PixelView& pixels);

/// The bytes of a PNG file, 8 bits a channel; grey stays grey. Throws Error(kInternal) with libpng's message.
/// Besides 1 and 3 channels it takes 4 (RGBA, alpha not multiplied in). Every pixel becomes a square of `enlarged` on a
/// side, for programs that would blur small pictures.
std::string EncodePng(const PixelView& pixels, int enlarged = 1);

/// The bytes of a lossy WebP file, `quality` 0 to 100; grey becomes RGB. Throws Error(kInternal), also for sides above
/// 16383, which WebP does not have.
std::string EncodeWebp(const PixelView& pixels, int quality);

/// "data:image/png;base64,...".
std::string DataUri(std::string_view mime, std::string_view bytes);

/// Shrinks (never enlarges) so that the longer side is at most `side`, the shorter one in proportion and at least 1.
/// A pixel is the mean of the area that it covers, parts of pixels counted as parts (OpenCV's INTER_AREA).
Picture Thumbnail(const PixelView& pixels, int side);

/// The image in grey (ITU-R 601) and the colour of its heat, half and half. `heat` is (H, W), clamped to [0, 1], NaN is
/// 0; its colours are matplotlib's "inferno", perceptually even, black over purple and orange to light yellow: what is
/// cold is only darkened.
Picture BlendHeat(const PixelView& pixels, std::span<const float> heat);

}  // namespace spotter
