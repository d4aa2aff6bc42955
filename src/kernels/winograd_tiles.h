// SPDX-License-Identifier: Apache-2.0
// How the outputs of a convolution are cut into tiles of 2x2, and the tiles into blocks that are worked on at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/bf16.h"

namespace spotter::kernels {

/// Tile (image, y, x) covers output rows 2y and 2y + 1 and reads input rows 2y - pad to 2y - pad + 3; columns alike.
struct Tile {
  int32_t image;
  int16_t y;
  int16_t x;
};

/// A convolution seen as tiles: maps (images, height, width, channels), outputs (out_height, out_width).
struct TileGrid {
  int64_t images;
  int64_t height;
  int64_t width;
  int64_t pad;
  int64_t out_height;
  int64_t out_width;
  int64_t rows;  // of tiles: an image's
  int64_t columns;
  int64_t of_image() const { return rows * columns; }
};

constexpr int64_t kMostTiles = 192;  // of a block
constexpr int64_t kOverrun = 12;     // rows that a product may read and write behind a block's last

/// Tiles with the ranges [begin, end) of them that need frequencies of row 3 or column 3. Where only the first row
/// (column) of an edge tile is an output, frequency row (column) 3 does not enter it: odd sizes save up to a third.
struct TileBlock {
  int64_t count = 0;
  int64_t begin[2][2];  // by [frequency row is 3][frequency column is 3]
  int64_t end[2][2];
  Tile tiles[kMostTiles];

  int64_t Begin(int frequency) const { return begin[frequency / 4 == 3][frequency % 4 == 3]; }
  int64_t End(int frequency) const { return end[frequency / 4 == 3][frequency % 4 == 3]; }
};

/// `count` tiles in order, image by image, from number `first` on.
inline void FillTiles(const TileGrid& grid, int64_t first, int64_t count, TileBlock& block) {
  auto image = static_cast<int32_t>(first / grid.of_image());
  int64_t y = first % grid.of_image() / grid.columns;
  int64_t x = first % grid.columns;
  for (int64_t i = 0; i < count; ++i) {
    block.tiles[i] = {image, static_cast<int16_t>(y), static_cast<int16_t>(x)};
    if (++x < grid.columns) continue;
    x = 0;
    if (++y < grid.rows) continue;
    y = 0;
    ++image;
  }
  block.count = count;
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 2; ++column) {
      block.begin[row][column] = 0;
      block.end[row][column] = count;
    }
  }
}

/// Rows [first, last) of a map, counted through all its images.
struct RowRange {
  int64_t first;
  int64_t last;
};
/// The input's rows that the tiles from number `first` to `last` read, and the rows of outputs that they are.
inline RowRange RowsRead(const TileGrid& grid, int64_t first, int64_t last) {
  const auto row = [&](int64_t tile) { return tile % grid.of_image() / grid.columns; };
  return {first / grid.of_image() * grid.height + std::max<int64_t>(2 * row(first) - grid.pad, 0),
          last / grid.of_image() * grid.height + std::min(2 * row(last) - grid.pad + 4, grid.height)};
}
inline RowRange RowsWritten(const TileGrid& grid, int64_t first, int64_t last) {
  const auto row = [&](int64_t tile) { return tile % grid.of_image() / grid.columns; };
  return {first / grid.of_image() * grid.out_height + 2 * row(first),
          last / grid.of_image() * grid.out_height + std::min(2 * row(last) + 2, grid.out_height)};
}

/// A grid's division into blocks of at most `most` tiles.
class TileBlocks {
 public:
  TileBlocks(const TileGrid& grid, int64_t most) : grid_(grid), most_(most) {
    const bool odd = grid.out_height == 2 * grid.rows - 1 && grid.out_width == 2 * grid.columns - 1;
    images_ = odd ? most / grid.of_image() : 0;
    count_ = images_ > 0 ? (grid.images + images_ - 1) / images_ : (grid.images * grid.of_image() + most - 1) / most;
  }
  int64_t count() const { return count_; }
  /// The number of the first tile of a block, which for block count() is the number of all tiles.
  int64_t FirstTile(int64_t index) const {
    return std::min(index * (images_ > 0 ? images_ * grid_.of_image() : most_), grid_.images * grid_.of_image());
  }

  void Fill(int64_t index, TileBlock& block) const {
    if (images_ > 0) {
      FillSorted(index * images_, std::min(images_, grid_.images - index * images_), block);
    } else {
      FillTiles(grid_, index * most_, std::min(most_, grid_.images * grid_.of_image() - index * most_), block);
    }
  }

 private:
  /// Whole images, their tiles in four classes: right edge, interior, bottom edge, corner.
  void FillSorted(int64_t first, int64_t images, TileBlock& block) const {
    int64_t count = 0;
    int64_t ends[4];
    for (int part = 0; part < 4; ++part) {
      const bool bottom = part >= 2;
      const bool right = part == 0 || part == 3;
      for (int64_t image = first; image < first + images; ++image) {
        for (int64_t y = bottom ? grid_.rows - 1 : 0; y < (bottom ? grid_.rows : grid_.rows - 1); ++y) {
          for (int64_t x = right ? grid_.columns - 1 : 0; x < (right ? grid_.columns : grid_.columns - 1); ++x)
            block.tiles[count++] = {static_cast<int32_t>(image), static_cast<int16_t>(y), static_cast<int16_t>(x)};
        }
      }
      ends[part] = count;
    }
    block.count = count;
    const int64_t begin[2][2] = {{0, ends[0]}, {0, ends[0]}};
    const int64_t end[2][2] = {{count, ends[2]}, {ends[1], ends[1]}};
    std::copy_n(&begin[0][0], 4, &block.begin[0][0]);
    std::copy_n(&end[0][0], 4, &block.end[0][0]);
  }

  TileGrid grid_;
  int64_t most_;
  int64_t images_;  // in a block, where blocks are whole images; else 0
  int64_t count_;
};

/// Where the 4x4 input pixels of a tile begin; pixels outside the map point to `zeros`, which holds a pixel of zeros.
inline void FindPixels(const TileGrid& grid, int64_t channels, const bf16* x, const bf16* zeros, const Tile& tile,
                       const bf16** pixels) {
  const int64_t top = 2 * tile.y - grid.pad;
  const int64_t left = 2 * tile.x - grid.pad;
  const bf16* image = x + tile.image * grid.height * grid.width * channels;
  if (top >= 0 && left >= 0 && top + 3 < grid.height && left + 3 < grid.width) {
    const bf16* first = image + (top * grid.width + left) * channels;
    for (int64_t i = 0; i < 16; ++i) pixels[i] = first + (i / 4 * grid.width + i % 4) * channels;
    return;
  }
  for (int64_t i = 0; i < 16; ++i) {
    const int64_t row = top + i / 4;
    const int64_t column = left + i % 4;
    const bool inside = row >= 0 && row < grid.height && column >= 0 && column < grid.width;
    pixels[i] = inside ? image + (row * grid.width + column) * channels : zeros;
  }
}

}  // namespace spotter::kernels
