// SPDX-License-Identifier: Apache-2.0
// Turns and mirrors images as the EXIF orientation of a camera or phone asks.
#include <utility>

#include "data/codecs.h"

namespace spotter {

Image ApplyOrientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const auto [height, width, channels] = image.shape;
  const bool swaps = orientation >= 5;
  // Which way each axis of the stored picture runs in the shown one.
  const bool flips_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flips_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image shown;
  shown.shape = {swaps ? width : height, swaps ? height : width, channels};
  shown.pixels.resize(image.pixels.size());
  uint8_t* out = shown.pixels.data();
  for (int row = 0; row < shown.shape.height; ++row) {
    for (int column = 0; column < shown.shape.width; ++column) {
      const int x = swaps ? row : column;
      const int y = swaps ? column : row;
      const int64_t from_x = flips_x ? width - 1 - x : x;
      const int64_t from_y = flips_y ? height - 1 - y : y;
      const uint8_t* in = image.pixels.data() + (from_y * width + from_x) * channels;
      for (int c = 0; c < channels; ++c) *out++ = in[c];
    }
  }
  return shown;
}

}  // namespace spotter
