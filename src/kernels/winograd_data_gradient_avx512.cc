// SPDX-License-Identifier: Apache-2.0
// The data gradient: without a pool a convolution with rotated weights; with one, the adjoint of the forward pass on
// its own tiles, where only one of a tile's four outputs has a gradient.
#include <omp.h>

#include <cstring>

#include "kernels/winograd.h"
#include "kernels/winograd_blocks_avx512.h"
#include "kernels/winograd_internal.h"

namespace spotter::kernels {
namespace {

enum Slot { kV, kM, kMap };

/// The gradients of some rows of a few images, summed up from overlapping tiles in fp32:
/// [panel][image][row][column][64]. A band of tile rows is worked on at once; its last two map rows are begun by it and
/// ended by the next.
class BandMap {
 public:
  BandMap(const ConvShape& shape, const TileGrid& grid, int64_t most)
      : shape_(shape),
        images_(std::max<int64_t>(most / grid.of_image(), 1)),
        band_(images_ > 1 ? grid.rows : std::clamp<int64_t>(most / grid.columns, 1, grid.rows)),
        rows_(2 * band_ + 2),
        columns_(2 * grid.columns + 2),
        panels_(RoundUp(shape.in, kPanel) / kPanel) {}

  int64_t images() const { return images_; }  // of a group
  int64_t band() const { return band_; }      // tile rows
  size_t bytes() const { return static_cast<size_t>(panels_ * PanelSize()) * sizeof(float); }

  void Clear(float* map) const { std::memset(map, 0, bytes()); }
  float* At(float* map, int64_t panel, int64_t image, int64_t tile_row, int64_t tile_column) const {
    return map + panel * PanelSize() + ((image * rows_ + 2 * tile_row) * columns_ + 2 * tile_column) * kPanel;
  }
  int64_t row_stride() const { return columns_ * kPanel; }

  /// Map rows [0, rows) of the band that begins at tile row `first` are complete: they go to dx.
  void Write(const float* map, int64_t first_image, int64_t images, int64_t first, int64_t rows, bf16* dx) const {
    for (int64_t image = 0; image < images; ++image) {
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t y = 2 * first + r - shape_.pad;
        if (y < 0 || y >= shape_.height) continue;
        bf16* out = dx + ((first_image + image) * shape_.height + y) * shape_.width * shape_.in;
        for (int64_t x = 0; x < shape_.width; ++x, out += shape_.in) WritePixel(map, image, r, x + shape_.pad, out);
      }
    }
  }
  /// The two rows that overlap the next band move to the top; all below is zero.
  void Advance(float* map) const {
    const auto row = static_cast<size_t>(row_stride());
    for (int64_t i = 0; i < panels_ * images_; ++i) {
      float* first = map + static_cast<size_t>(i * rows_) * row;
      std::memcpy(first, first + static_cast<size_t>(rows_ - 2) * row, 2 * row * sizeof(float));
      std::memset(first + 2 * row, 0, static_cast<size_t>(rows_ - 2) * row * sizeof(float));
    }
  }

 private:
  int64_t PanelSize() const { return images_ * rows_ * columns_ * kPanel; }
  void WritePixel(const float* map, int64_t image, int64_t row, int64_t column, bf16* out) const {
    if (column >= columns_) {  // a last column that no tile reads
      std::memset(out, 0, static_cast<size_t>(shape_.in) * sizeof(bf16));
      return;
    }
    for (int64_t c = 0; c < shape_.in; c += kChunk) {
      const float* from =
          map + c / kPanel * PanelSize() + ((image * rows_ + row) * columns_ + column) * kPanel + c % kPanel;
      _mm512_mask_storeu_epi16(out + c, First32(shape_.in - c),
                               Pack(_mm512_loadu_ps(from), _mm512_loadu_ps(from + kLanes)));
    }
  }

  const ConvShape& shape_;
  int64_t images_;
  int64_t band_;
  int64_t rows_;
  int64_t columns_;
  int64_t panels_;
};

SPOTTER_INLINE void AddTile(const float* m, int64_t m_stride, float* map, int64_t row_stride) {
  __m512 z[16];
#pragma GCC unroll 16
  for (int f = 0; f < 16; ++f) z[f] = _mm512_loadu_ps(m + f * m_stride);
  TransposedInput(z);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    float* to = map + (i / 4) * row_stride + (i % 4) * kPanel;
    _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), z[i]));
  }
}

/// The gradients of a block's pooled outputs, transformed.
void TransformGradients(const ConvShape& shape, const TileGrid& grid, const TileBlock& block, const bf16* dy,
                        const uint32_t* argmax, const BlockLayout& layout, bf16* v) {
  for (int64_t t = 0; t < block.count; ++t) {
    const Tile& tile = block.tiles[t];
    const int64_t pixel = (tile.image * grid.rows + tile.y) * grid.columns + tile.x;
    const uint32_t* words = argmax + pixel * ((shape.out + 31) / 32) * 2;
    for (int64_t c = 0; c < shape.out; c += kChunk, words += 2) {
      __m512i d[16];
      TransformPooledGradient(_mm512_maskz_loadu_epi16(First32(shape.out - c), dy + pixel * shape.out + c), words[0],
                              words[1], d);
#pragma GCC unroll 16
      for (int f = 0; f < 16; ++f) _mm512_storeu_si512(v + f * layout.v_stride + t * layout.sums + c, d[f]);
    }
  }
}

void PooledDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                        Scratch& scratch) {
  const TileGrid grid = ForwardGrid(shape);
  const int64_t most = TilesOfBlock(shape.out);
  const BlockLayout layout(most, shape.out);
  const BandMap bands(shape, grid, most);
  scratch.Reserve(kV, layout.v_bytes());
  scratch.Reserve(kM, layout.m_bytes());
  scratch.Reserve(kMap, bands.bytes());
  const int64_t groups = (shape.images + bands.images() - 1) / bands.images();
#pragma omp parallel num_threads(scratch.threads())
  {
    const int me = omp_get_thread_num();
    bf16* v = scratch.Get<bf16>(me, kV);
    float* m = scratch.Get<float>(me, kM);
    float* map = scratch.Get<float>(me, kMap);
    TileBlock block;
#pragma omp for schedule(dynamic, 1)
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t first_image = group * bands.images();
      const int64_t images = std::min(bands.images(), shape.images - first_image);
      bands.Clear(map);
      for (int64_t first = 0; first < grid.rows; first += bands.band()) {
        const int64_t rows = std::min(bands.band(), grid.rows - first);
        // The tiles of whole images, or of one image's band, lie in order.
        const int64_t begin = (first_image * grid.rows + first) * grid.columns;
        const int64_t end = begin + images * rows * grid.columns;
        for (int64_t tile = begin; tile < end; tile += most) {
          FillTiles(grid, tile, std::min(most, end - tile), block);
          TransformGradients(shape, grid, block, dy, argmax, layout, v);
          const int64_t next = tile + block.count;
          const int64_t next_count = std::min(most, shape.out_pixels() - next);
          Prefetch ahead(dy + next * shape.out, next_count * shape.out * int64_t{sizeof(bf16)},
                         16 * ((shape.in + kPanel - 1) / kPanel));
          for (int64_t c = 0; c < shape.in; c += kPanel) {
            const int64_t width = PanelWidth(shape.in, c);
            PanelProducts(v, layout, block, packed + c * 16 * layout.sums, width, m, ahead);
            for (int64_t t = 0; t < block.count; ++t) {
              const Tile& at = block.tiles[t];
              float* to = bands.At(map, c / kPanel, at.image - first_image, at.y - first, at.x);
              for (int64_t lane = 0; lane < width; lane += kLanes)
                AddTile(m + t * width + lane, layout.m_stride, to + lane, bands.row_stride());
            }
          }
        }
        const bool last = first + rows == grid.rows;
        bands.Write(map, first_image, images, first, 2 * rows + (last ? 2 : 0), dx);
        if (!last) bands.Advance(map);
      }
      // A last row that no tile reads has no gradient.
      const int64_t read = 2 * grid.rows + 2 - shape.pad;
      for (int64_t image = first_image; image < first_image + images && read < shape.height; ++image) {
        bf16* out = dx + (image * shape.height + read) * shape.width * shape.in;
        std::memset(out, 0, static_cast<size_t>((shape.height - read) * shape.width * shape.in) * sizeof(bf16));
      }
    }
  }
}

}  // namespace

void WinogradDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                          Scratch& scratch) {
  if (shape.pool) {
    PooledDataGradient(shape, dy, argmax, packed, dx, scratch);
  } else {
    ConvolveTiles(BackwardGrid(shape), shape.out, shape.in, false, dy, packed, {}, dx, nullptr, scratch);
  }
}

}  // namespace spotter::kernels
