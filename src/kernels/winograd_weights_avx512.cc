// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/winograd.h"
#include "kernels/winograd_layout.h"
#include "kernels/winograd_tiles.h"
#include "kernels/winograd_transforms.h"

namespace spotter::kernels {
namespace {

/// The taps of up to 32 channels from `chunk` on, of up to 16 filters from `column` on: a channel's lie apart in
/// memory, and are gathered 16 x 16 at a time. Zero where there are none.
class FilterTaps {
 public:
  FilterTaps(const ConvShape& s, const float* weights, int64_t chunk, int64_t column) : chunk_(chunk) {
    for (int64_t tap = 0; tap < 9; ++tap) {
      for (int64_t first = 0; first < kChunk; first += kLanes) {
        __m512 rows[kLanes];
        const __mmask16 mask = First16(s.in - chunk - first);
        for (int64_t r = 0; r < kLanes; ++r) {
          const float* filter = weights + ((column + r) * 9 + tap) * s.in;
          rows[r] = column + r < s.out ? _mm512_maskz_loadu_ps(mask, filter + chunk + first) : _mm512_setzero_ps();
        }
        Transpose(rows);
        for (int64_t i = 0; i < kLanes; ++i) _mm512_store_ps(taps_ + (tap * kChunk + first + i) * kLanes, rows[i]);
      }
    }
  }
  /// Of 16 filters.
  SPOTTER_INLINE_MEMBER __m512 At(int64_t channel, int64_t tap) const {
    return _mm512_load_ps(taps_ + (tap * kChunk + channel - chunk_) * kLanes);
  }

 private:
  alignas(64) float taps_[9 * kChunk * kLanes];  // [tap][channel][filter]
  int64_t chunk_;
};

/// The same for the data gradient, which sums over filters and has channels as its columns, weights turned by half a
/// turn: they lie side by side.
struct RotatedTaps {
  RotatedTaps(const ConvShape& s, const float* weights, int64_t, int64_t column)
      : shape(s), start(weights + column), mask(First16(s.in - column)) {}
  SPOTTER_INLINE_MEMBER __m512 At(int64_t filter, int64_t tap) const {
    return _mm512_maskz_loadu_ps(filter < shape.out ? mask : __mmask16{0}, start + (filter * 9 + 8 - tap) * shape.in);
  }
  const ConvShape& shape;
  const float* start;
  __mmask16 mask;
};

template <typename Taps>
void PackWeights(const ConvShape& shape, const float* weights, int64_t sums, int64_t columns, bf16* packed,
                 int threads) {
  const __m512i order = Interleaved();
  const int64_t padded_columns = PaddedColumns(columns);
  const int64_t padded_sums = PaddedSums(sums);
#pragma omp parallel for num_threads(threads) schedule(static) collapse(2)
  for (int64_t chunk = 0; chunk < padded_sums; chunk += kChunk) {
    for (int64_t column = 0; column < padded_columns; column += kLanes) {
      const Taps taps(shape, weights, chunk, column);
      const int64_t panel = column / kPanel * kPanel;
      const int64_t width = PanelWidth(columns, panel);
      bf16* out = packed + panel * kFrequencies * padded_sums + (column - panel) * 2;
      for (int64_t place = chunk; place < std::min(chunk + kChunk, padded_sums); place += 2) {
        __m512 u[2][kFrequencies];
        for (int64_t half = 0; half < 2; ++half) {
          const int64_t channel = ChannelAt(place + half, sums);
          __m512 g[9];
          for (int tap = 0; tap < 9; ++tap) g[tap] = taps.At(channel, tap);
          TransformWeights(g, u[half]);
        }
        for (int f = 0; f < kFrequencies; ++f)
          _mm512_storeu_si512(out + f * padded_sums * width + place * width,
                              _mm512_permutexvar_epi16(order, Pack(u[0][f], u[1][f])));
      }
    }
  }
}

}  // namespace

int64_t WinogradPackedSize(int64_t sums, int64_t columns) {
  return kFrequencies * PaddedSums(sums) * PaddedColumns(columns);
}

void PackWinogradForward(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  PackWeights<FilterTaps>(shape, weights, shape.in, shape.out, packed, threads);
}

void PackWinogradDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  PackWeights<RotatedTaps>(shape, weights, shape.out, shape.in, packed, threads);
}

}  // namespace spotter::kernels
