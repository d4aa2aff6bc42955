// SPDX-License-Identifier: Apache-2.0
// The three image decoders behind data/image.h. Each reads a header without decoding, and decodes a whole file.
//
// All throw Error(kData) whose message is the reason alone. None checks the size limits: image.cc does, before
// decoding.
#pragma once

#include <cstdint>
#include <string_view>

#include "data/image.h"

namespace spotter {

bool IsJpeg(std::string_view bytes);
ImageShape ReadJpegHeader(std::string_view bytes);  // after EXIF orientation
Image DecodeJpeg(std::string_view bytes);

/// The EXIF orientation (1 to 8) and the size of the picture as it is stored.
struct JpegHeader {
  int width = 0;
  int height = 0;
  int components = 0;
  int orientation = 1;
};
JpegHeader ParseJpegHeader(std::string_view bytes);

bool IsPng(std::string_view bytes);
ImageShape ReadPngHeader(std::string_view bytes);  // after EXIF orientation
Image DecodePng(std::string_view bytes);

bool IsWebp(std::string_view bytes);
ImageShape ReadWebpHeader(std::string_view bytes);  // after EXIF orientation; of a file with EXIF give it whole
Image DecodeWebp(std::string_view bytes);

/// The orientation that EXIF data gives (a TIFF directory: JPEG's APP1, PNG's eXIf and WebP's EXIF hold one); 1 when it
/// gives none that makes sense, as other programs do. Orientations from 5 on swap width and height.
int ExifOrientation(std::string_view tiff);

/// Turns and mirrors an image as EXIF orientation 2 to 8 asks.
Image ApplyOrientation(Image image, int orientation);

/// `value` with opacity `alpha` over white, rounded to the nearest.
inline uint8_t OverWhite(uint8_t value, uint8_t alpha) {
  return static_cast<uint8_t>((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

}  // namespace spotter
