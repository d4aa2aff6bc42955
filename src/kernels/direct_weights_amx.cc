// SPDX-License-Identifier: Apache-2.0
// Packed weights: [16 columns][32 sums][tap][pair of sums][column][2], zeros beyond the last sum and column.
#include "kernels/direct_conv.h"
#include "kernels/direct_layout.h"
#include "kernels/tile_pairs_amx.h"

namespace spotter::kernels {
namespace {

/// Which 32 sums of which 16 columns, of which tap.
struct Place {
  int64_t column;
  int64_t sum;
  int64_t tap;
};

/// Columns are filters, whose channels are side by side.
void PackFilters(const ConvShape& s, const float* weights, const Place& place, bf16* to) {
  const __mmask16 low = First16(s.in - place.sum);
  const __mmask16 high = First16(s.in - place.sum - kLanes);
  __m512 pairs[kTileRows];
  for (int64_t i = 0; i < kTileRows; ++i) {
    const int64_t filter = place.column + i;
    const float* from = weights + (filter * kAllTaps + place.tap) * s.in + place.sum;
    const bool there = filter < s.out;
    pairs[i] = _mm512_castsi512_ps(
        Pack(_mm512_maskz_loadu_ps(there ? low : 0, from), _mm512_maskz_loadu_ps(there ? high : 0, from + kLanes)));
  }
  StoreTurned(pairs, kTileSums, to);
}

/// The same for the data gradient, which sums over filters and has channels as its columns, weights turned by half a
/// turn: columns are side by side.
void PackChannels(const ConvShape& s, const float* weights, const Place& place, bf16* to) {
  const __m512i order = Interleaved();
  const __mmask16 mask = First16(s.in - place.column);
  const auto load = [&](int64_t filter) {
    const float* from = weights + (filter * kAllTaps + kAllTaps - 1 - place.tap) * s.in + place.column;
    return _mm512_maskz_loadu_ps(filter < s.out ? mask : __mmask16{0}, from);
  };
  for (int64_t i = 0; i < kTileSums; i += 2) {
    const __m512i pair = Pack(load(place.sum + i), load(place.sum + i + 1));
    _mm512_storeu_si512(to + i * kTileRows, _mm512_permutexvar_epi16(order, pair));
  }
}

template <typename PackTile>
void PackTiles(int64_t sums, int64_t columns, bf16* packed, int threads, const PackTile& pack) {
  const int64_t chunks = CopiedChannels(sums) / kTileSums;
  const int64_t groups = (columns + kTileRows - 1) / kTileRows;
#pragma omp parallel for num_threads(threads) schedule(static) collapse(2)
  for (int64_t group = 0; group < groups; ++group) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      for (int64_t tap = 0; tap < kAllTaps; ++tap)
        pack(Place{group * kTileRows, chunk * kTileSums, tap},
             packed + ((group * chunks + chunk) * kAllTaps + tap) * kTileValues);
    }
  }
}

}  // namespace

int64_t DirectPackedSize(int64_t sums, int64_t columns) {
  return RoundUp(columns, kTileRows) * kAllTaps * CopiedChannels(sums);
}

void PackDirectForward(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  PackTiles(shape.in, shape.out, packed, threads,
            [&](const Place& place, bf16* to) { PackFilters(shape, weights, place, to); });
}

void PackDirectDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  PackTiles(shape.out, shape.in, packed, threads,
            [&](const Place& place, bf16* to) { PackChannels(shape, weights, place, to); });
}

}  // namespace spotter::kernels
