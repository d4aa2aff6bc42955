// SPDX-License-Identifier: Apache-2.0
#include "kernels/direct_layout.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

namespace spotter::kernels {
namespace {

std::vector<DirectLayout> Layouts() {
  std::vector<DirectLayout> layouts;
  for (const int64_t height : {1, 2, 3, 4, 6, 7, 8, 15, 16, 31, 32, 33}) {
    for (const int64_t width : {1, 3, 4, 7, 8, 13, 16, 31, 70}) {
      for (const int64_t pad : {0, 1}) {
        for (const bool pool : {false, true}) {
          const ConvShape s{.images = 5, .height = height, .width = width, .pad = pad, .pool = pool};
          if (s.out_height() < 1 || s.out_width() < 1) continue;
          layouts.push_back(ForwardLayout(s));
          layouts.push_back(BackwardLayout(s));
        }
      }
    }
  }
  return layouts;
}

// An output's first pixel, as the tiles have it, is the one of the copy at its row and column.
TEST(DirectUnits, HaveEveryOutputOnceAtItsPlaceOfTheCopy) {
  for (const DirectLayout& layout : Layouts()) {
    const DirectUnits units(layout);
    ASSERT_LE(units.tiles, kBlockTiles);
    std::map<std::pair<int64_t, int64_t>, int> seen;
    for (int64_t y = 0; y < layout.out_height; y += units.rows) {
      for (int64_t across = 0; across < units.across; ++across) {
        for (int64_t i = 0; i < units.rows && y + i < layout.out_height; ++i) {
          for (int64_t j = 0; j < units.columns() && 16 * across + j < layout.out_width; ++j) {
            const int64_t place = units.RowPlace(i) + j;
            ASSERT_LT(place / 16, units.tiles);
            EXPECT_EQ(units.TilePlace(place / 16) + place % 16, i * units.pitch + j);
            ++seen[{y + i, 16 * across + j}];
          }
        }
      }
    }
    ASSERT_EQ(static_cast<int64_t>(seen.size()), layout.out_height * layout.out_width);
    for (const auto& [output, times] : seen) EXPECT_EQ(times, 1);
  }
}

// The zeros behind a row, or those before the next one, are as many as its last output reads.
TEST(DirectLayout, RowsOfACopyHoldWhatTheirOutputsRead) {
  for (const DirectLayout& layout : Layouts()) {
    EXPECT_GE(layout.pitch(), layout.pad + layout.width);
    EXPECT_GE(layout.pitch() + layout.pad, layout.out_width + kTaps - 1);
  }
}

TEST(DirectBands, HaveEveryRowOnceInWholeUnits) {
  for (const DirectLayout& layout : Layouts()) {
    for (const int64_t unit : {1, 2, 4}) {
      for (const int64_t pixels : {1, 100, 5000}) {
        for (const int64_t wanted : {1, 3, 64}) {
          const DirectBands bands(layout, unit, 5, pixels, wanted);
          EXPECT_EQ(bands.rows % unit, 0);
          EXPECT_GE(bands.pieces() * bands.of_piece, bands.count);
          std::map<std::pair<int64_t, int64_t>, int> seen;
          for (int64_t index = 0; index < bands.count; ++index) {
            const DirectBand band = bands.At(index);
            EXPECT_LE(band.rows, bands.rows);
            for (int64_t row = band.row; row < band.row + band.rows; ++row) ++seen[{band.image, row}];
          }
          ASSERT_EQ(static_cast<int64_t>(seen.size()), 5 * layout.out_height);
          for (const auto& [row, times] : seen) EXPECT_EQ(times, 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace spotter::kernels
