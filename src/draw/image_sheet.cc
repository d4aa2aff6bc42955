// SPDX-License-Identifier: Apache-2.0
#include "draw/image_sheet.h"

#include <algorithm>

#include "base/error.h"

namespace spotter {

ImageSheet::ImageSheet(int tile_height, int tile_width, int columns)
    : tile_height_(tile_height), tile_width_(tile_width), columns_(columns) {
  if (tile_height < 1 || tile_width < 1 || columns < 1) {
    Fail(ExitCode::kInternal, "an image sheet of {} columns of {} x {} tiles", columns, tile_height, tile_width);
  }
}

int ImageSheet::Add(const PixelView& tile) {
  if (tile.height != tile_height_ || tile.width != tile_width_) {
    Fail(ExitCode::kInternal, "a tile of {} x {} on a sheet of {} x {} tiles", tile.height, tile.width, tile_height_,
         tile_width_);
  }
  const Picture picture = ToPicture(tile);
  rgb_.insert(rgb_.end(), picture.rgb.begin(), picture.rgb.end());
  return tiles_++;
}

Picture ImageSheet::picture() const {
  Picture sheet{rows() * tile_height_, columns_ * tile_width_, {}};
  sheet.rgb.assign(static_cast<size_t>(sheet.height) * sheet.width * 3, 255);
  const size_t row_bytes = static_cast<size_t>(tile_width_) * 3;
  for (int i = 0; i < tiles_; ++i) {
    for (int y = 0; y < tile_height_; ++y) {
      const size_t line = static_cast<size_t>(i) * tile_height_ + y;
      const size_t target = static_cast<size_t>(i / columns_ * tile_height_ + y) * columns_ + i % columns_;
      std::copy_n(rgb_.data() + line * row_bytes, row_bytes, sheet.rgb.data() + target * row_bytes);
    }
  }
  return sheet;
}

}  // namespace spotter
