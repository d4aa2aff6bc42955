// SPDX-License-Identifier: Apache-2.0
// How the outputs of a convolution are cut into tiles of 4x4, and the tiles into blocks that are worked on at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv_shape.h"

namespace spotter::kernels {

constexpr int kTile = 4;  // outputs of a tile, each way
constexpr int kSide = 6;  // inputs that they read, and frequencies
constexpr int kFrequencies = kSide * kSide;

/// Tile (image, y, x) covers output rows 4y to 4y + 3 and reads input rows 4y - pad to 4y - pad + 5; columns alike.
struct Tile {
  int32_t image;
  int16_t y;
  int16_t x;
};

/// Rows (columns) of frequencies that a tile needs of which only so many rows (columns) are outputs: three outputs do
/// without infinity, and two (or one) without 0 as well, by transforms of their own (winograd_transforms.h).
constexpr int kShort = 4;
constexpr int kZeroPoint = 4;  // which of them is that of 0
constexpr int FrequencyRows(int64_t outputs) { return outputs > 3 ? kSide : outputs == 3 ? kSide - 1 : kShort; }

/// Which transforms a tile is for: those of kShort rows of frequencies, of kShort columns, or the whole ones.
struct TileKind {
  bool short_rows = false;
  bool short_columns = false;
};

/// A convolution seen as tiles: maps of `height` rows with `pad` zeros around, outputs (out_height, out_width).
struct TileGrid {
  int64_t images;
  int64_t height;
  int64_t pad;
  int64_t out_height;
  int64_t out_width;

  int64_t rows() const { return (out_height + kTile - 1) / kTile; }  // of tiles: an image's
  int64_t columns() const { return (out_width + kTile - 1) / kTile; }
  int64_t of_image() const { return rows() * columns(); }
  int64_t all() const { return images * of_image(); }
  int64_t RowOf(int64_t tile) const { return tile % of_image() / columns(); }
  /// It depends on the tile's place alone, so that results do not depend on what else is computed.
  TileKind KindOf(const Tile& tile) const {
    return {FrequencyRows(out_height - kTile * tile.y) == kShort, FrequencyRows(out_width - kTile * tile.x) == kShort};
  }
};

/// The tiles of a shape's forward pass. With a pool they cover the outputs that it reads.
inline TileGrid ForwardGrid(const ConvShape& s) {
  const int64_t window = s.pool ? 2 : 1;
  return {s.images, s.height, s.pad, window * s.out_height(), window * s.out_width()};
}
/// Those of the data gradient, a convolution from those outputs back to the input.
inline TileGrid BackwardGrid(const ConvShape& s) {
  return {s.images, ForwardGrid(s).out_height, 2 - s.pad, s.height, s.width};
}

constexpr int64_t kMostTiles = 192;  // of a block

/// Tiles with the ranges [begin, end) of them that need a frequency: those at the edges, of which fewer than four rows
/// (columns) are outputs, need fewer. (Used where that is so both ways, and where blocks are whole images.)
struct TileBlock {
  int64_t count = 0;
  int frequency_rows = kSide;  // that tiles at the lower edge need
  int frequency_columns = kSide;
  int64_t begin[2][2];  // by [frequency row is none of those][frequency column likewise]
  int64_t end[2][2];
  Tile tiles[kMostTiles];

  int64_t Begin(int frequency) const {
    return begin[frequency / kSide >= frequency_rows][frequency % kSide >= frequency_columns];
  }
  int64_t End(int frequency) const {
    return end[frequency / kSide >= frequency_rows][frequency % kSide >= frequency_columns];
  }
};

/// Rows [first, last) of a map, counted through all its images.
struct RowRange {
  int64_t first;
  int64_t last;
};
/// The input's rows that the tiles from number `first` to `last` read, and the rows of outputs that they are.
inline RowRange RowsRead(const TileGrid& grid, int64_t first, int64_t last) {
  return {first / grid.of_image() * grid.height + std::max<int64_t>(kTile * grid.RowOf(first) - grid.pad, 0),
          last / grid.of_image() * grid.height + std::min(kTile * grid.RowOf(last) - grid.pad + kSide, grid.height)};
}
inline RowRange RowsWritten(const TileGrid& grid, int64_t first, int64_t last) {
  return {first / grid.of_image() * grid.out_height + kTile * grid.RowOf(first),
          last / grid.of_image() * grid.out_height + std::min(kTile * grid.RowOf(last) + kTile, grid.out_height)};
}

/// A grid's division into blocks of at most `most` tiles.
class TileBlocks {
 public:
  TileBlocks(const TileGrid& grid, int64_t most) : grid_(grid), most_(most) {
    const bool part = grid.out_height % kTile != 0 && grid.out_width % kTile != 0;
    images_ = part ? most / grid.of_image() : 0;
    count_ = images_ > 0 ? (grid.images + images_ - 1) / images_ : (grid.all() + most - 1) / most;
  }
  int64_t count() const { return count_; }
  /// The number of the first tile of a block, which for block count() is the number of all tiles.
  int64_t FirstTile(int64_t index) const {
    return std::min(index * (images_ > 0 ? images_ * grid_.of_image() : most_), grid_.all());
  }

  void Fill(int64_t index, TileBlock& block) const {
    if (images_ > 0) {
      FillSorted(index * images_, std::min(images_, grid_.images - index * images_), block);
    } else {
      FillInOrder(FirstTile(index), FirstTile(index + 1) - FirstTile(index), block);
    }
  }

 private:
  /// `count` tiles from number `first` on, image by image.
  void FillInOrder(int64_t first, int64_t count, TileBlock& block) const {
    auto image = static_cast<int32_t>(first / grid_.of_image());
    int64_t y = first % grid_.of_image() / grid_.columns();
    int64_t x = first % grid_.columns();
    for (int64_t i = 0; i < count; ++i) {
      block.tiles[i] = {image, static_cast<int16_t>(y), static_cast<int16_t>(x)};
      if (++x < grid_.columns()) continue;
      x = 0;
      if (++y < grid_.rows()) continue;
      y = 0;
      ++image;
    }
    block.count = count;
    block.frequency_rows = kSide;
    block.frequency_columns = kSide;
    for (int row = 0; row < 2; ++row) {
      for (int column = 0; column < 2; ++column) {
        block.begin[row][column] = 0;
        block.end[row][column] = count;
      }
    }
  }
  /// Whole images, their tiles in four classes: right edge, interior, bottom edge, corner.
  void FillSorted(int64_t first, int64_t images, TileBlock& block) const {
    const int64_t rows = grid_.rows();
    const int64_t columns = grid_.columns();
    int64_t count = 0;
    int64_t ends[4];
    for (int part = 0; part < 4; ++part) {
      const bool bottom = part >= 2;
      const bool right = part == 0 || part == 3;
      for (int64_t image = first; image < first + images; ++image) {
        for (int64_t y = bottom ? rows - 1 : 0; y < (bottom ? rows : rows - 1); ++y) {
          for (int64_t x = right ? columns - 1 : 0; x < (right ? columns : columns - 1); ++x)
            block.tiles[count++] = {static_cast<int32_t>(image), static_cast<int16_t>(y), static_cast<int16_t>(x)};
        }
      }
      ends[part] = count;
    }
    block.count = count;
    block.frequency_rows = FrequencyRows(grid_.out_height % kTile);
    block.frequency_columns = FrequencyRows(grid_.out_width % kTile);
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

}  // namespace spotter::kernels
