// SPDX-License-Identifier: Apache-2.0
// Dense layers in AMX's tiles. The weights pass through memory once a call: as the rows of A forward, which computes
// the transpose, and as pairs of their rows, made on the way, back.
#include <omp.h>

#include <algorithm>

#include "kernels/activations_avx512.h"
#include "kernels/dense_kinds.h"
#include "kernels/tile_pairs_amx.h"

namespace spotter::kernels::amx {
namespace {

enum Slot { kShared, kOwn };

int64_t Tiles(int64_t rows) { return (rows + kTileRows - 1) / kTileRows; }
int64_t Chunks(int64_t sums) { return (sums + kTileSums - 1) / kTileSums; }

/// kTiles tiles of sums, of one A and as many B's for each of `chunks` products: those of B are `b_next` values apart,
/// and `b_chunk` from product to product.
template <int kTiles>
void SumsOfColumns(const bf16* a, const bf16* b, int64_t b_next, int64_t b_chunk, int64_t chunks, float* sums) {
  BeforeTilesAreLoaded();
  _tile_zero(0);
  if constexpr (kTiles > 1) _tile_zero(1);
  if constexpr (kTiles > 2) _tile_zero(2);
  if constexpr (kTiles > 3) _tile_zero(3);
  for (int64_t k = 0; k < chunks; ++k, a += kTileValues, b += b_chunk) {
    _tile_loadd(4, a, kTileBytes);
    _tile_loadd(5, b, kTileBytes);
    _tile_dpbf16ps(0, 4, 5);
    if constexpr (kTiles > 1) {
      _tile_loadd(6, b + b_next, kTileBytes);
      _tile_dpbf16ps(1, 4, 6);
    }
    if constexpr (kTiles > 2) {
      _tile_loadd(5, b + 2 * b_next, kTileBytes);
      _tile_dpbf16ps(2, 4, 5);
    }
    if constexpr (kTiles > 3) {
      _tile_loadd(6, b + 3 * b_next, kTileBytes);
      _tile_dpbf16ps(3, 4, 6);
    }
  }
  _tile_stored(0, sums, kTileBytes);
  if constexpr (kTiles > 1) _tile_stored(1, sums + kTileOutputs, kTileBytes);
  if constexpr (kTiles > 2) _tile_stored(2, sums + 2 * kTileOutputs, kTileBytes);
  if constexpr (kTiles > 3) _tile_stored(3, sums + 3 * kTileOutputs, kTileBytes);
}

/// Rows (rows, columns) as the A's of a product over columns: [16 rows][32 columns][row][column], zeros beyond.
void CutRows(const bf16* from, int64_t row_tile, int64_t rows, int64_t columns, bf16* to) {
  for (int64_t chunk = 0; chunk < Chunks(columns); ++chunk) {
    const __mmask32 mask = First32(columns - chunk * kTileSums);
    for (int64_t i = 0; i < kTileRows; ++i) {
      const int64_t row = row_tile * kTileRows + i;
      const bf16* at = from + row * columns + chunk * kTileSums;
      _mm512_storeu_si512(to + (row_tile * Chunks(columns) + chunk) * kTileValues + i * kTileSums,
                          _mm512_maskz_loadu_epi16(row < rows ? mask : 0, at));
    }
  }
}

/// 16 outputs of up to 16 images from a tile of sums, output by image.
void WriteOutputs(const DenseShape& s, const float* sums, int64_t out, int64_t images, const float* bias, bool relu,
                  bf16* y) {
  const __mmask16 mask = First16(s.out - out);
  const __m512 own = bias != nullptr ? _mm512_maskz_loadu_ps(mask, bias + out) : _mm512_setzero_ps();
  __m512 z[kTileRows];
  for (int64_t i = 0; i < kTileRows; ++i) z[i] = _mm512_loadu_ps(sums + i * kTileRows);
  Transpose(z);
  for (int64_t n = 0; n < std::min(kTileRows, images); ++n) {
    const __m512 value = _mm512_add_ps(z[n], own);
    StoreNarrow(y + n * s.out + out, mask, relu ? Apply<Act::kRelu>(value) : value);
  }
}

constexpr int64_t kImages = 4 * kTileRows;  // at once

/// At most kImages images.
void ForwardOfSome(const DenseShape& s, int64_t images, const bf16* x, const bf16* half, const float* bias, bool relu,
                   bf16* y, Scratch& scratch) {
  const int64_t chunks = Chunks(s.in);
  const int64_t tiles = Tiles(images);
  auto* turned = scratch.Get<bf16>(0, kShared);  // [32 values][16 images][pair][image][2]
#pragma omp parallel num_threads(scratch.threads())
  {
    const TileSession session;
#pragma omp for schedule(static)
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const __mmask32 mask = First32(s.in - chunk * kTileSums);
      for (int64_t tile = 0; tile < tiles; ++tile) {
        __m512 rows[kTileRows];
        for (int64_t i = 0; i < kTileRows; ++i) {
          const int64_t n = tile * kTileRows + i;
          rows[i] =
              _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(n < images ? mask : 0, x + n * s.in + chunk * kTileSums));
        }
        StoreTurned(rows, kTileSums, turned + (chunk * tiles + tile) * kTileValues);
      }
    }
    const auto sum = tiles == 1   ? SumsOfColumns<1>
                     : tiles == 2 ? SumsOfColumns<2>
                     : tiles == 3 ? SumsOfColumns<3>
                                  : SumsOfColumns<4>;
    alignas(64) float sums[4 * kTileOutputs];
#pragma omp for schedule(static)
    for (int64_t out = 0; out < Tiles(s.out); ++out) {
      sum(half + out * chunks * kTileValues, turned, kTileValues, tiles * kTileValues, chunks, sums);
      for (int64_t tile = 0; tile < tiles; ++tile)
        WriteOutputs(s, sums + tile * kTileOutputs, out * kTileRows, images - tile * kTileRows, bias, relu,
                     y + tile * kTileRows * s.out);
    }
  }
}

}  // namespace

void HalveDenseWeights(const DenseShape& s, const float* weights, bf16* half, int threads) {
  const int64_t chunks = Chunks(s.in);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t row = 0; row < RoundUp(s.out, 2 * kTileRows); ++row) {
    bf16* to = half + row / kTileRows * chunks * kTileValues + row % kTileRows * kTileSums;
    const float* from = weights + row * s.in;
    for (int64_t i = 0; i < s.in; i += kTileSums, to += kTileValues) {
      const __mmask16 low = row < s.out ? First16(s.in - i) : __mmask16{0};
      const __mmask16 high = row < s.out ? First16(s.in - i - kLanes) : __mmask16{0};
      _mm512_storeu_si512(to,
                          Pack(_mm512_maskz_loadu_ps(low, from + i), _mm512_maskz_loadu_ps(high, from + i + kLanes)));
    }
  }
}

void DenseForward(const DenseShape& s, const bf16* x, const bf16* half, const float* bias, bool relu, bf16* y,
                  Scratch& scratch) {
  scratch.ReserveShared(kShared, static_cast<size_t>(Chunks(s.in) * 4 * kTileValues) * sizeof(bf16));
  for (int64_t first = 0; first < s.images; first += kImages)
    ForwardOfSome(s, std::min(kImages, s.images - first), x + first * s.in, half, bias, relu, y + first * s.out,
                  scratch);
}

void DenseDataGradient(const DenseShape& s, const bf16* dy, const bf16* half, bf16* dx, Scratch& scratch) {
  const int64_t chunks = Chunks(s.out);
  scratch.ReserveShared(kShared, static_cast<size_t>(Tiles(s.images) * chunks * kTileValues) * sizeof(bf16));
  scratch.Reserve(kOwn, static_cast<size_t>(2 * chunks * kTileValues) * sizeof(bf16));
  auto* rows = scratch.Get<bf16>(0, kShared);
#pragma omp parallel num_threads(scratch.threads())
  {
    const TileSession session;
#pragma omp for schedule(static)
    for (int64_t tile = 0; tile < Tiles(s.images); ++tile) CutRows(dy, tile, s.images, s.out, rows);
    auto* pairs = scratch.Get<bf16>(omp_get_thread_num(), kOwn);  // [32 outputs][16 inputs][pair][input][2]
    alignas(64) float sums[2 * kTileOutputs];
#pragma omp for schedule(static)
    for (int64_t column = 0; column < Chunks(s.in); ++column) {
      for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        for (int64_t i = 0; i < kTileRows; ++i) {  // pairs of outputs: eight of each tile of weights
          const bf16* weights =
              half + ((2 * chunk + i / 8) * Chunks(s.in) + column) * kTileValues + i % 8 * 2 * kTileSums;
          const __m512i a = _mm512_loadu_si512(weights);
          const __m512i b = _mm512_loadu_si512(weights + kTileSums);
          bf16* to = pairs + 2 * chunk * kTileValues + i * kTileSums;
          _mm512_storeu_si512(to, PairUp(_mm512_castsi512_si256(a), _mm512_castsi512_si256(b)));
          _mm512_storeu_si512(to + kTileValues,
                              PairUp(_mm512_extracti64x4_epi64(a, 1), _mm512_extracti64x4_epi64(b, 1)));
        }
      }
      for (int64_t tile = 0; tile < Tiles(s.images); ++tile) {
        SumsOfColumns<2>(rows + tile * chunks * kTileValues, pairs, kTileValues, 2 * kTileValues, chunks, sums);
        for (int64_t n = 0; n < std::min(kTileRows, s.images - tile * kTileRows); ++n) {
          bf16* to = dx + (tile * kTileRows + n) * s.in + column * kTileSums;
          const __m512 low = _mm512_load_ps(sums + n * kTileRows);
          const __m512 high = _mm512_load_ps(sums + kTileOutputs + n * kTileRows);
          _mm512_mask_storeu_epi16(to, First32(s.in - column * kTileSums), Pack(low, high));
        }
      }
    }
  }
}

void DenseWeightGradient(const DenseShape& s, const bf16* x, const bf16* dy, float* dw, Scratch& scratch) {
  const int64_t chunks = Chunks(s.images);
  scratch.ReserveShared(kShared, static_cast<size_t>(Tiles(s.out) * chunks * kTileValues) * sizeof(bf16));
  scratch.Reserve(kOwn, static_cast<size_t>(2 * chunks * kTileValues) * sizeof(bf16));
  auto* turned = scratch.Get<bf16>(0, kShared);  // [16 outputs][32 images][output][image]
#pragma omp parallel num_threads(scratch.threads())
  {
    const TileSession session;
#pragma omp for schedule(static)
    for (int64_t tile = 0; tile < Tiles(s.out); ++tile) {
      for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        __m512 pairs[kTileRows];
        LoadPairs(dy + chunk * kTileSums * s.out + tile * kTileRows, s.out, s.images - chunk * kTileSums,
                  First16(s.out - tile * kTileRows), pairs);
        StoreTurned(pairs, kTileSums, turned + (tile * chunks + chunk) * kTileValues);
      }
    }
    auto* own = scratch.Get<bf16>(omp_get_thread_num(), kOwn);  // [32 images][16 inputs][pair][input][2]
    alignas(64) float sums[2 * kTileOutputs];
#pragma omp for schedule(static)
    for (int64_t column = 0; column < Chunks(s.in); ++column) {
      for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        for (int64_t part = 0; part < 2; ++part) {
          const int64_t in = column * kTileSums + part * kTileRows;
          __m512 pairs[kTileRows];
          LoadPairs(x + chunk * kTileSums * s.in + in, s.in, s.images - chunk * kTileSums, First16(s.in - in), pairs);
          StorePairs(pairs, own + (2 * chunk + part) * kTileValues);
        }
      }
      const __mmask16 low = First16(s.in - column * kTileSums);
      const __mmask16 high = First16(s.in - column * kTileSums - kLanes);
      for (int64_t tile = 0; tile < Tiles(s.out); ++tile) {
        SumsOfColumns<2>(turned + tile * chunks * kTileValues, own, kTileValues, 2 * kTileValues, chunks, sums);
        for (int64_t i = 0; i < std::min(kTileRows, s.out - tile * kTileRows); ++i) {
          float* to = dw + (tile * kTileRows + i) * s.in + column * kTileSums;
          _mm512_mask_storeu_ps(to, low, _mm512_load_ps(sums + i * kTileRows));
          _mm512_mask_storeu_ps(to + kLanes, high, _mm512_load_ps(sums + kTileOutputs + i * kTileRows));
        }
      }
    }
  }
}

}  // namespace spotter::kernels::amx
