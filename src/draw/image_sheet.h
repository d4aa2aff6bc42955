// SPDX-License-Identifier: Apache-2.0
// Many equal tiles in one picture (a sprite sheet), so that a page needs one file for hundreds of thumbnails.
#pragma once

#include <vector>

#include "draw/pixels.h"

namespace spotter {

/// Tile i is in row i / columns(), column i % columns(); its left upper corner is at these times the tile's size.
class ImageSheet {
 public:
  /// All at least 1, or Error(kInternal).
  ImageSheet(int tile_height, int tile_width, int columns);

  /// Takes a copy of a tile, grey or RGB, and returns its number, from 0. Throws Error(kInternal) for another size.
  int Add(const PixelView& tile);

  int tiles() const { return tiles_; }
  int columns() const { return columns_; }
  int rows() const { return (tiles_ + columns_ - 1) / columns_; }

  /// (rows() * tile height, columns() * tile width); white where the last row has no tile.
  Picture picture() const;

 private:
  int tile_height_;
  int tile_width_;
  int columns_;
  int tiles_ = 0;
  std::vector<uint8_t> rgb_;  // (tiles, tile height, tile width, 3)
};

}  // namespace spotter
