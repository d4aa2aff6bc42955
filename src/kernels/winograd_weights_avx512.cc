// SPDX-License-Identifier: Apache-2.0
#include "kernels/winograd.h"
#include "kernels/winograd_layout.h"
#include "kernels/winograd_tiles.h"
#include "kernels/winograd_transforms.h"

namespace spotter::kernels {
namespace {

/// Where in `weights` the tap (row, column) from channel `sum` to channel `column` lies.
struct WeightView {
  const float* weights;
  int64_t sum_stride;
  int64_t column_stride;
  int64_t tap_stride;
  bool rotated;  // by half a turn
};

SPOTTER_INLINE __m512 LoadTap(const WeightView& view, int64_t sum, int64_t first, __mmask16 mask, int tap) {
  const float* start = view.weights + sum * view.sum_stride + first * view.column_stride +
                       (view.rotated ? 8 - tap : tap) * view.tap_stride;
  if (view.column_stride == 1) return _mm512_maskz_loadu_ps(mask, start);
  const __m512i lanes = Multiples(static_cast<int>(view.column_stride));
  return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, lanes, start, 4);
}

void PackWeights(const WeightView& view, int64_t sums, int64_t columns, bf16* packed, int threads) {
  const __m512i order = Interleaved();
  const int64_t padded_columns = PaddedColumns(columns);
  const int64_t pairs = PaddedSums(sums) / 2;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t pair = 0; pair < pairs; ++pair) {
    for (int64_t column = 0; column < padded_columns; column += kLanes) {
      const __mmask16 mask = First16(columns - column);
      __m512 u[2][kFrequencies];
      for (int64_t half = 0; half < 2; ++half) {
        const int64_t place = 2 * pair + half;
        __m512 g[9];
        for (int tap = 0; tap < 9; ++tap)
          g[tap] =
              LoadTap(view, ChannelAt(place < sums ? place : 0, sums), column, place < sums ? mask : __mmask16{0}, tap);
        TransformWeights(g, u[half]);
      }
      const int64_t panel = column / kPanel * kPanel;
      const int64_t width = PanelWidth(columns, panel);
      bf16* out = packed + panel * kFrequencies * 2 * pairs + (pair * width + column - panel) * 2;
      for (int f = 0; f < kFrequencies; ++f)
        _mm512_storeu_si512(out + f * pairs * width * 2, _mm512_permutexvar_epi16(order, Pack(u[0][f], u[1][f])));
    }
  }
}

}  // namespace

int64_t WinogradPackedSize(int64_t sums, int64_t columns) {
  return kFrequencies * PaddedSums(sums) * PaddedColumns(columns);
}

void PackWinogradForward(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  PackWeights({weights, 1, 9 * shape.in, shape.in, false}, shape.in, shape.out, packed, threads);
}

void PackWinogradDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  PackWeights({weights, 9 * shape.in, 1, shape.in, true}, shape.out, shape.in, packed, threads);
}

}  // namespace spotter::kernels
