// SPDX-License-Identifier: Apache-2.0
// Shared by the files of the Winograd kernels.
#pragma once

#include "kernels/winograd.h"
#include "kernels/winograd_tiles.h"

namespace spotter::kernels {

/// The tiles of a shape's forward pass. With a pool they cover what the pool keeps.
inline TileGrid ForwardGrid(const ConvShape& s) {
  return {s.images,
          s.height,
          s.width,
          s.pad,
          s.conv_height(),
          s.conv_width(),
          s.pool ? s.out_height() : (s.conv_height() + 1) / 2,
          s.pool ? s.out_width() : (s.conv_width() + 1) / 2};
}
/// Those of the data gradient seen as a convolution, from the output back to the input.
inline TileGrid BackwardGrid(const ConvShape& s) {
  return {s.images, s.conv_height(), s.conv_width(),     2 - s.pad,
          s.height, s.width,         (s.height + 1) / 2, (s.width + 1) / 2};
}

/// A convolution of a grid's tiles with packed weights; what WinogradForward describes.
void ConvolveTiles(const TileGrid& grid, int64_t in, int64_t out, bool pool, const bf16* x, const bf16* packed,
                   const ConvEpilogue& epilogue, bf16* y, uint32_t* argmax, Scratch& scratch);

}  // namespace spotter::kernels
