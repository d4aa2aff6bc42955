// SPDX-License-Identifier: Apache-2.0
// How a 3x3 convolution's maps are laid out for plain products in AMX's tiles, and its outputs cut into tiles.
//
// A map's rows are copied with zeros around, `pitch` pixels a row: the zeros behind a row are also those before the
// next one. Output (y, x) then reads pixel (y + ky) * pitch + x + kx of the copy for tap (ky, kx), and neighbouring
// outputs neighbouring pixels: the 16 rows of a tile are 16 places of the copy in order, whether outputs are there or
// not. Channels are filled up to whole lines of the cache, since a tile whose rows lie across two takes five times as
// long to load.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv_shape.h"
#include "kernels/inline.h"
#include "kernels/panels.h"

namespace spotter::kernels {

constexpr int64_t kTaps = 3;  // each way
constexpr int64_t kAllTaps = kTaps * kTaps;

/// Channels of a copy.
constexpr int64_t CopiedChannels(int64_t channels) { return RoundUp(channels, 32); }
/// Values from one pixel of a copy to the next: an odd number of lines, since else neighbours share sets of the cache.
constexpr int64_t PixelStride(int64_t channels) { return (CopiedChannels(channels) / 32 | 1) * 32; }

/// A convolution from a map so wide, with `pad` zeros around, to (out_height, out_width). Outputs may reach beyond the
/// zeros: there is more of them then.
struct DirectLayout {
  int64_t width;
  int64_t pad;
  int64_t out_height;
  int64_t out_width;
  bool pool;  // outputs are pooled 2x2

  /// Pixels of a copied row.
  int64_t pitch() const { return std::max(width + pad, out_width + kTaps - 1 - pad); }
};

constexpr int64_t kBlockTiles = 6;  // that are multiplied by the same weights at once

/// How outputs are cut into units, some rows of them that are computed together, in whole tiles: 16 columns of each row
/// are a tile; or, where that takes fewer tiles, all places of the rows in order, those between the rows as well.
struct DirectUnits {
  SPOTTER_INLINE_MEMBER explicit DirectUnits(const DirectLayout& layout) : pitch(layout.pitch()) {
    const int64_t step = layout.pool ? 2 : 1;  // a pooling window's rows stay together
    rows = step;
    across = (layout.out_width + 15) / 16;
    tiles = step;
    in_order = false;
    int64_t least = across * RoundUp(layout.out_height, step);
    for (int64_t some = step; some < layout.out_height + step; some += step) {
      const int64_t own = (some * pitch + 15) / 16;
      const int64_t all = (layout.out_height + some - 1) / some * own;
      if (own > kBlockTiles || all >= least) continue;
      least = all;
      rows = some;
      across = 1;
      tiles = own;
      in_order = true;
    }
  }
  int64_t pitch;
  int64_t rows;    // of a unit
  int64_t across;  // units side by side
  int64_t tiles;   // of a unit
  bool in_order;

  int64_t columns() const { return in_order ? pitch : 16; }
  /// The place in its tiles at which a unit's row begins, and the place of the copy at which a tile begins.
  int64_t RowPlace(int64_t row) const { return row * columns(); }
  int64_t TilePlace(int64_t tile) const { return tile * (in_order ? 16 : pitch); }
};

/// From the input to the outputs, of which with a pool only those that it reads.
inline DirectLayout ForwardLayout(const ConvShape& s) {
  const int64_t window = s.pool ? 2 : 1;
  return {s.width, s.pad, window * s.out_height(), window * s.out_width(), s.pool};
}
/// From those outputs back to the input.
inline DirectLayout BackwardLayout(const ConvShape& s) {
  const DirectLayout forward = ForwardLayout(s);
  return {forward.out_width, kTaps - 1 - s.pad, s.height, s.width, false};
}

/// Some rows of an image's outputs, and the copy that they read.
struct DirectBand {
  int64_t image;
  int64_t row;   // the first
  int64_t rows;  // at most those of the division
};

/// All images' outputs in bands of `rows` rows, so many bands to a piece of work.
struct DirectBands {
  /// Bands of whole units of rows, and pieces such that a piece's copy has at most `pixels` pixels, where a unit
  /// allows, and that there are at least `wanted` pieces, where units allow.
  SPOTTER_INLINE_MEMBER DirectBands(const DirectLayout& layout, int64_t unit, int64_t images, int64_t pixels,
                                    int64_t wanted) {
    const int64_t all = RoundUp(layout.out_height, unit);
    const int64_t fit = std::max<int64_t>(pixels / layout.pitch() - (kTaps - 1), unit) / unit * unit;
    const int64_t shares = images > 0 ? (wanted + images - 1) / images : 1;  // of an image
    rows = std::min({all, fit, RoundUp((layout.out_height + shares - 1) / shares, unit)});
    of_image = (layout.out_height + rows - 1) / rows;
    count = images * of_image;
    const int64_t many = pixels / ((rows + kTaps - 1) * layout.pitch());
    of_piece = std::max<int64_t>(std::min(many, count / std::max<int64_t>(wanted, 1)), 1);
    out_height = layout.out_height;
  }
  int64_t rows;
  int64_t of_image;
  int64_t count;
  int64_t of_piece;
  int64_t out_height;

  int64_t pieces() const { return (count + of_piece - 1) / of_piece; }
  DirectBand At(int64_t index) const {
    const int64_t row = index % of_image * rows;
    return {index / of_image, row, std::min(rows, out_height - row)};
  }
};

}  // namespace spotter::kernels
