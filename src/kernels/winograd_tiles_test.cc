// SPDX-License-Identifier: Apache-2.0
#include "kernels/winograd_tiles.h"

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <tuple>
#include <vector>

namespace spotter::kernels {
namespace {

std::vector<TileGrid> Grids() {
  std::vector<TileGrid> grids;
  for (int64_t side : {1, 3, 4, 6, 7, 15, 31}) {
    for (int64_t pad : {0, 1}) {
      for (bool pool : {false, true}) {
        const ConvShape s{.images = 5, .height = side, .width = side + 2, .kernel = 3, .pad = pad, .pool = pool};
        if (s.out_height() < 1 || s.out_width() < 1) continue;
        grids.push_back(ForwardGrid(s));
        grids.push_back(BackwardGrid(s));
      }
    }
  }
  return grids;
}

TEST(TileBlocks, HaveEveryTileOnceWithTheFrequenciesItNeeds) {
  for (const TileGrid& grid : Grids()) {
    for (int64_t most : {6, 24, 96}) {
      const TileBlocks blocks(grid, most);
      std::map<std::tuple<int, int, int>, int> seen;
      TileBlock block;
      int64_t before = 0;
      for (int64_t index = 0; index < blocks.count(); ++index) {
        blocks.Fill(index, block);
        ASSERT_LE(block.count, most);
        EXPECT_EQ(blocks.FirstTile(index), before);
        before += block.count;
        for (int64_t t = 0; t < block.count; ++t) {
          const Tile& tile = block.tiles[t];
          ++seen[{tile.image, tile.y, tile.x}];
          const TileKind kind = grid.KindOf(tile);
          for (int f = 0; f < kFrequencies; ++f) {
            const bool needed = f / kSide < FrequencyRows(grid.out_height - kTile * tile.y) &&
                                f % kSide < FrequencyRows(grid.out_width - kTile * tile.x);
            const bool enters = block.Begin(f) <= t && t < block.End(f);
            if (needed) EXPECT_TRUE(enters) << "tile " << t << ", frequency " << f;
            const bool lacks = (kind.short_rows && f / kSide >= block.frequency_rows) ||
                               (kind.short_columns && f % kSide >= block.frequency_columns);
            EXPECT_FALSE(lacks && enters) << "tile " << t << ", frequency " << f;
          }
        }
      }
      EXPECT_EQ(static_cast<int64_t>(seen.size()), grid.all());
      EXPECT_EQ(before, grid.all());
    }
  }
}

TEST(TileBlocks, LeaveOutFrequenciesOfPartTiles) {
  const TileGrid grid = ForwardGrid({.images = 6, .height = 7, .width = 7, .kernel = 3, .pad = 1});
  TileBlock block;
  TileBlocks(grid, 24).Fill(0, block);
  EXPECT_EQ(block.End(0) - block.Begin(0), 24);
  EXPECT_EQ(block.End(kSide - 1) - block.Begin(kSide - 1), 12);               // the left tiles
  EXPECT_EQ(block.End(kFrequencies - 1) - block.Begin(kFrequencies - 1), 6);  // the upper left ones
}

// 6 = 4 + 2: the tiles at the edge do with four rows of frequencies, and nothing is computed that is not needed.
TEST(TileBlocks, LeaveOutMoreWhereTwoOutputsAreLeft) {
  const TileGrid grid = ForwardGrid({.images = 6, .height = 7, .width = 7, .kernel = 3, .pad = 1, .pool = true});
  TileBlock block;
  TileBlocks(grid, 24).Fill(0, block);
  int64_t products = 0;
  for (int f = 0; f < kFrequencies; ++f) products += block.End(f) - block.Begin(f);
  EXPECT_EQ(products, 6 * (6 + 4) * (6 + 4));
  EXPECT_EQ(block.frequency_rows, kShort);
  EXPECT_EQ(block.frequency_columns, kShort);
  for (const Tile& tile : std::span(block.tiles, 24)) {
    EXPECT_EQ(grid.KindOf(tile).short_rows, tile.y == 1);
    EXPECT_EQ(grid.KindOf(tile).short_columns, tile.x == 1);
  }
}

TEST(TileRows, AreThoseReadAndWritten) {
  for (const TileGrid& grid : Grids()) {
    for (int64_t first = 0; first < grid.all(); ++first) {
      for (int64_t last = first; last < grid.all(); ++last) {
        const RowRange read = RowsRead(grid, first, last);
        const RowRange written = RowsWritten(grid, first, last);
        for (int64_t tile : {first, last}) {
          const int64_t image = tile / grid.of_image();
          const int64_t row = tile % grid.of_image() / grid.columns();
          const int64_t top = std::max<int64_t>(kTile * row - grid.pad, 0);
          const int64_t bottom = std::min(kTile * row - grid.pad + kSide, grid.height);
          EXPECT_LE(read.first, image * grid.height + top);
          EXPECT_GE(read.last, image * grid.height + bottom);
          EXPECT_LE(written.first, image * grid.out_height + kTile * row);
          EXPECT_GE(written.last, image * grid.out_height + std::min(kTile * row + kTile, grid.out_height));
        }
        EXPECT_LE(read.last, grid.images * grid.height);
        EXPECT_LE(written.last, grid.images * grid.out_height);
      }
    }
  }
}

// Rows are counted through all images: those of the pooled map are half of them, also where the pool drops a row.
TEST(TileRows, OfAPooledGradientLieInThePooledMap) {
  const ConvShape s{.images = 5, .height = 7, .width = 7, .kernel = 3, .pad = 1, .pool = true};
  EXPECT_EQ(BackwardGrid(s).height, 2 * s.out_height());
}

}  // namespace
}  // namespace spotter::kernels
