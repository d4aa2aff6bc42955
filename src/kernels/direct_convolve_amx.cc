// SPDX-License-Identifier: Apache-2.0
// The forward pass, and the data gradient, which is one with rotated weights from the output's gradient to the input's.
#include <omp.h>

#include "kernels/amx.h"
#include "kernels/conv_output_avx512.h"
#include "kernels/direct_conv.h"
#include "kernels/direct_copy_amx.h"
#include "kernels/direct_layout.h"

namespace spotter::kernels {
namespace {

enum Slot { kCopy };

/// Sums of 16 columns for kTiles tiles of outputs, whose first pixels begin at a: [tile][row][column] at c. `pixel` is
/// the distance between pixels, `row` that between rows of the copy, in values. All taps of 32 channels come one after
/// the other: they read the same lines.
template <int kTiles>
void BlockSums(const bf16* const* a, int64_t pixel, int64_t row, int64_t channels, const bf16* weights, float* c) {
  const int64_t bytes = pixel * int64_t{sizeof(bf16)};
  BeforeTilesAreLoaded();
  _tile_zero(0);
  if constexpr (kTiles > 1) _tile_zero(1);
  if constexpr (kTiles > 2) _tile_zero(2);
  if constexpr (kTiles > 3) _tile_zero(3);
  if constexpr (kTiles > 4) _tile_zero(4);
  if constexpr (kTiles > 5) _tile_zero(5);
  for (int64_t channel = 0; channel < channels; channel += kTileSums) {
    for (int64_t ky = 0; ky < kTaps; ++ky) {
      for (int64_t kx = 0; kx < kTaps; ++kx, weights += kTileValues) {
        const int64_t at = ky * row + kx * pixel + channel;
        _tile_loadd(7, weights, kTileBytes);
        _tile_loadd(6, a[0] + at, bytes);
        _tile_dpbf16ps(0, 6, 7);
        if constexpr (kTiles > 1) {
          _tile_loadd(6, a[1] + at, bytes);
          _tile_dpbf16ps(1, 6, 7);
        }
        if constexpr (kTiles > 2) {
          _tile_loadd(6, a[2] + at, bytes);
          _tile_dpbf16ps(2, 6, 7);
        }
        if constexpr (kTiles > 3) {
          _tile_loadd(6, a[3] + at, bytes);
          _tile_dpbf16ps(3, 6, 7);
        }
        if constexpr (kTiles > 4) {
          _tile_loadd(6, a[4] + at, bytes);
          _tile_dpbf16ps(4, 6, 7);
        }
        if constexpr (kTiles > 5) {
          _tile_loadd(6, a[5] + at, bytes);
          _tile_dpbf16ps(5, 6, 7);
        }
      }
    }
  }
  _tile_stored(0, c, kTileBytes);
  if constexpr (kTiles > 1) _tile_stored(1, c + kTileOutputs, kTileBytes);
  if constexpr (kTiles > 2) _tile_stored(2, c + 2 * kTileOutputs, kTileBytes);
  if constexpr (kTiles > 3) _tile_stored(3, c + 3 * kTileOutputs, kTileBytes);
  if constexpr (kTiles > 4) _tile_stored(4, c + 4 * kTileOutputs, kTileBytes);
  if constexpr (kTiles > 5) _tile_stored(5, c + 5 * kTileOutputs, kTileBytes);
}

/// Where a unit of outputs lies.
struct Unit {
  DirectBand band;
  int64_t y;  // in the band
  int64_t x;
};

/// 16 columns' outputs of a unit from its sums.
template <bool kPool>
void WriteUnit(const DirectLayout& layout, const DirectUnits& units, const Unit& unit, const float* sums,
               int64_t channel, const ConvOutput& output) {
  constexpr int64_t kWindow = kPool ? 2 : 1;
  const int64_t rows = std::min(units.rows, unit.band.rows - unit.y);
  const int64_t columns = std::min(units.columns(), layout.out_width - unit.x);
  const __mmask16 mask = First16(output.channels - channel);
  const __m512 bias = output.Bias(channel, mask);
  for (int64_t i = 0; i < rows; i += kWindow) {
    const int64_t y = (unit.band.image * layout.out_height + unit.band.row + unit.y + i) / kWindow;
    const int64_t pixel = y * (layout.out_width / kWindow) + unit.x / kWindow;
    const float* row = sums + units.RowPlace(i) * kTileRows;
    bf16* to = output.y + pixel * output.channels + channel;
    for (int64_t j = 0; j < columns; j += kWindow, row += kWindow * kTileRows, to += output.channels) {
      if constexpr (kPool) {
        const float* below = row + units.RowPlace(1) * kTileRows;
        const __m512 first[2] = {_mm512_load_ps(row), _mm512_load_ps(row + kTileRows)};
        const __m512 second[2] = {_mm512_load_ps(below), _mm512_load_ps(below + kTileRows)};
        uint16_t place_column, place_row;
        const __m512 largest = Largest(first, second, &place_column, &place_row);
        output.WritePlaces(pixel + j / kWindow, channel, place_column, place_row);
        output.Write(to, mask, largest, bias);
      } else {
        output.Write(to, mask, _mm512_load_ps(row), bias);
      }
    }
  }
}

/// Columns in so many parts of whole 16: a part's weights should stay in the second cache (2 MiB) beside the copies.
struct ColumnParts {
  ColumnParts(int64_t channels, int64_t columns, int64_t pieces, int threads) {
    constexpr int64_t kWeightBytes = 1'250'000;
    const int64_t all = RoundUp(columns, kTileRows) / kTileRows;
    const int64_t tile_bytes = kTileRows * kAllTaps * CopiedChannels(channels) * int64_t{sizeof(bf16)};
    const int64_t fit = std::max<int64_t>(kWeightBytes / tile_bytes, 1);
    const int64_t share =
        std::max<int64_t>(all * std::max<int64_t>(pieces, 1) / threads, 1);  // so that all threads have some
    tiles = std::min({all, fit, share});
    count = (all + tiles - 1) / tiles;
  }
  int64_t tiles;
  int64_t count;
};

template <bool kPool>
class Convolution {
 public:
  Convolution(const MapView& map, const DirectLayout& layout, int64_t images, const bf16* packed,
              const ConvOutput& output, Scratch& scratch)
      : map_(map),
        layout_(layout),
        packed_(packed),
        output_(output),
        scratch_(scratch),
        pixel_(PixelStride(map.channels)),
        units_(layout),
        bands_(layout, units_.rows, images, kCopyBytes / (2 * pixel_), scratch.threads()),
        parts_(map.channels, output.channels, bands_.pieces(), scratch.threads()),
        band_values_((bands_.rows + kTaps - 1) * units_.pitch * pixel_) {}

  void Run() {
    scratch_.Reserve(kCopy, static_cast<size_t>(bands_.of_piece * band_values_ + Overrun()) * sizeof(bf16));
#pragma omp parallel num_threads(scratch_.threads())
    {
      const TileSession session;
      bf16* copy = scratch_.Get<bf16>(omp_get_thread_num(), kCopy);
#pragma omp for schedule(dynamic)
      for (int64_t task = 0; task < bands_.pieces() * parts_.count; ++task)
        Compute(task % bands_.pieces(), task / bands_.pieces(), copy);
    }
  }

 private:
  static constexpr int64_t kCopyBytes = 160'000;

  /// What tiles may read behind the last row.
  int64_t Overrun() const { return (kTileRows + kTaps) * pixel_; }

  struct Block {
    Unit units[kBlockTiles];
    const bf16* from[kBlockTiles];
    int count = 0;
    int tiles = 0;
  };

  void Compute(int64_t piece, int64_t part, bf16* copy) const {
    const int64_t first = piece * bands_.of_piece;
    const int64_t count = std::min(bands_.of_piece, bands_.count - first);
    for (int64_t i = 0; i < count; ++i) {
      const DirectBand band = bands_.At(first + i);
      CopyRows(map_, band.image, band.row - layout_.pad, bands_.rows + kTaps - 1, layout_.pad, units_.pitch,
               {0, map_.channels}, copy + i * band_values_);
    }
    Zero(copy + count * band_values_, Overrun());
    Block block;
    for (int64_t i = 0; i < count; ++i) {
      const DirectBand band = bands_.At(first + i);
      for (int64_t y = 0; y < band.rows; y += units_.rows) {
        for (int64_t x = 0; x < units_.across * kTileRows; x += kTileRows) {
          if (block.tiles + units_.tiles > kBlockTiles) Flush(block, part);
          block.units[block.count++] = {band, y, x};
          for (int64_t tile = 0; tile < units_.tiles; ++tile)
            block.from[block.tiles++] =
                copy + i * band_values_ + (y * units_.pitch + x + units_.TilePlace(tile)) * pixel_;
        }
      }
    }
    if (block.tiles > 0) Flush(block, part);
  }

  void Flush(Block& block, int64_t part) const {
    constexpr decltype(&BlockSums<1>) kSums[] = {BlockSums<1>, BlockSums<2>, BlockSums<3>,
                                                 BlockSums<4>, BlockSums<5>, BlockSums<6>};
    alignas(64) float sums[kBlockTiles * kTileOutputs];
    const int64_t end = std::min((part + 1) * parts_.tiles * kTileRows, output_.channels);
    for (int64_t channel = part * parts_.tiles * kTileRows; channel < end; channel += kTileRows) {
      kSums[block.tiles - 1](block.from, pixel_, units_.pitch * pixel_, map_.channels,
                             packed_ + channel * kAllTaps * CopiedChannels(map_.channels), sums);
      for (int i = 0; i < block.count; ++i)
        WriteUnit<kPool>(layout_, units_, block.units[i], sums + i * units_.tiles * kTileOutputs, channel, output_);
    }
    block.count = 0;
    block.tiles = 0;
  }

  const MapView& map_;
  const DirectLayout& layout_;
  const bf16* packed_;
  const ConvOutput& output_;
  Scratch& scratch_;
  int64_t pixel_;  // of a copy, in values
  DirectUnits units_;
  DirectBands bands_;
  ColumnParts parts_;
  int64_t band_values_;
};

}  // namespace

void DirectForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                   uint32_t* argmax, Scratch& scratch) {
  const MapView map = InputView(shape, x);
  const DirectLayout layout = ForwardLayout(shape);
  const ConvOutput output{y, argmax, shape.out, epilogue};
  if (shape.pool) {
    Convolution<true>(map, layout, shape.images, packed, output, scratch).Run();
  } else {
    Convolution<false>(map, layout, shape.images, packed, output, scratch).Run();
  }
}

void DirectDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                        Scratch& scratch) {
  const MapView map = GradientView(shape, dy, argmax);
  const DirectLayout layout = BackwardLayout(shape);
  const ConvOutput output{dx, nullptr, shape.in};
  Convolution<false>(map, layout, shape.images, packed, output, scratch).Run();
}

}  // namespace spotter::kernels
