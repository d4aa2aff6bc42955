// SPDX-License-Identifier: Apache-2.0
// Convolutions of few channels in AMX's tiles: the patches of some rows of outputs are written side by side,
// [pixel][value], each with a 1 behind its values, which makes the bias's gradient one of the weights', and zeros up to
// whole tiles.
#include <omp.h>

#include "kernels/activations_avx512.h"
#include "kernels/panels.h"
#include "kernels/patch_conv_kinds.h"
#include "kernels/patch_rows.h"
#include "kernels/tile_pairs_amx.h"

namespace spotter::kernels::amx {
namespace {

enum Slot { kPadded, kPatches, kPairs, kSums };

int64_t Values(const ConvShape& s) { return s.kernel * Run(s); }
int64_t PatchValues(const ConvShape& s) { return RoundUp(Values(s) + 1, kTileSums); }
int64_t Chunks(const ConvShape& s) { return PatchValues(s) / kTileSums; }
int64_t OutTiles(const ConvShape& s) { return RoundUp(s.out, 2 * kTileRows) / kTileRows; }
/// Pixels of a band, in whole products over them.
int64_t BandPixels(const ConvShape& s) { return RoundUp(kBandRows * s.conv_width(), kTileSums); }

/// The patches of bands, one band after the other, in a thread's own memory.
class Patches {
 public:
  Patches(const ConvShape& s, const bf16* x, Scratch& scratch)
      : s_(s),
        x_(x),
        padded_(scratch.Get<bf16>(omp_get_thread_num(), kPadded)),
        patches_(scratch.Get<bf16>(omp_get_thread_num(), kPatches)) {
    std::fill_n(patches_, BandPixels(s) * PatchValues(s), bf16{0});
    for (int64_t pixel = 0; pixel < BandPixels(s); ++pixel) patches_[pixel * PatchValues(s) + Values(s)] = kOne;
    ones_ = _mm512_loadu_si512(patches_);
  }
  static void Reserve(const ConvShape& s, Scratch& scratch) {
    scratch.Reserve(kPadded, static_cast<size_t>(PaddedValues(s)) * sizeof(bf16));
    scratch.Reserve(kPatches, static_cast<size_t>(BandPixels(s) * PatchValues(s)) * sizeof(bf16));
  }
  const bf16* Of(const Band& band) const {
    PadRows(s_, band, x_, padded_);
    bf16* to = patches_;
    for (int64_t row = 0; row < band.rows; ++row) {
      for (int64_t column = 0; column < s_.conv_width(); ++column, to += PatchValues(s_)) {
        const bf16* from = padded_ + row * RowValues(s_) + column * s_.in;
        PatchValues(s_) == kTileSums ? WriteShort(from, to) : WriteLong(from, to);
      }
    }
    return patches_;
  }

 private:
  /// A patch that is one vector: its runs moved to where they belong.
  SPOTTER_INLINE_MEMBER void WriteShort(const bf16* from, bf16* to) const {
    __m512i patch = ones_;
    __mmask32 place = First32(Run(s_));
    for (int64_t ky = 0; ky < s_.kernel; ++ky, from += RowValues(s_), place <<= Run(s_))
      patch = _mm512_mask_expand_epi16(patch, place, _mm512_loadu_si512(from));
    _mm512_storeu_si512(to, patch);
  }
  SPOTTER_INLINE_MEMBER void WriteLong(const bf16* from, bf16* to) const {
    for (int64_t ky = 0; ky < s_.kernel; ++ky, from += RowValues(s_), to += Run(s_)) {
      for (int64_t k = 0; k < Run(s_); k += kChunk) {
        const __mmask32 mask = First32(Run(s_) - k);
        _mm512_mask_storeu_epi16(to + k, mask, _mm512_maskz_loadu_epi16(mask, from + k));
      }
    }
  }

  static constexpr bf16 kOne = 0x3f80;
  const ConvShape& s_;
  const bf16* x_;
  bf16* padded_;
  bf16* patches_;
  __m512i ones_;  // a patch of zeros with its 1
};

/// Sums of 16 pixels and 32 channels, 16 and 16; the weights of the second 16 lie `next` values behind.
SPOTTER_INLINE void TileSums(const bf16* patches, int64_t chunks, const bf16* weights, int64_t next, float* sums) {
  BeforeTilesAreLoaded();
  _tile_zero(0);
  _tile_zero(1);
  for (int64_t k = 0; k < chunks; ++k) {
    _tile_loadd(4, patches + k * kTileSums, chunks * kTileBytes);
    _tile_loadd(5, weights + k * kTileValues, kTileBytes);
    _tile_loadd(6, weights + next + k * kTileValues, kTileBytes);
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 6);
  }
  _tile_stored(0, sums, kTileBytes);
  _tile_stored(1, sums + kTileOutputs, kTileBytes);
}

template <Act kAct>
void Forward(const ConvShape& s, const bf16* x, const bf16* packed, const float* bias, bf16* z, bf16* y,
             Scratch& scratch) {
  Patches::Reserve(s, scratch);
#pragma omp parallel num_threads(scratch.threads())
  {
    const TileSession session;
    const Patches patches(s, x, scratch);
    alignas(64) float sums[2 * kTileOutputs];
#pragma omp for schedule(static)
    for (int64_t index = 0; index < s.images * Bands(s); ++index) {
      const Band band = BandAt(s, index);
      const bf16* own = patches.Of(band);
      const int64_t first = (band.image * s.conv_height() + band.row) * s.conv_width();
      const int64_t pixels = band.rows * s.conv_width();
      for (int64_t c = 0; c < s.out; c += kChunk) {
        const __mmask32 mask = First32(s.out - c);
        const auto bias_of = [&](int64_t half) {
          return bias != nullptr ? _mm512_maskz_loadu_ps(First16(s.out - c - half), bias + c + half)
                                 : _mm512_setzero_ps();
        };
        const __m512 low_bias = bias_of(0);
        const __m512 high_bias = bias_of(kLanes);
        for (int64_t pixel = 0; pixel < pixels; pixel += kTileRows) {
          TileSums(own + pixel * PatchValues(s), Chunks(s), packed + c * PatchValues(s), Chunks(s) * kTileValues, sums);
          for (int64_t i = 0; i < std::min(kTileRows, pixels - pixel); ++i) {
            const __m512 low = _mm512_add_ps(_mm512_load_ps(sums + i * kTileRows), low_bias);
            const __m512 high = _mm512_add_ps(_mm512_load_ps(sums + kTileOutputs + i * kTileRows), high_bias);
            const int64_t at = (first + pixel + i) * s.out + c;
            if (z != nullptr) _mm512_mask_storeu_epi16(z + at, mask, Pack(low, high));
            _mm512_mask_storeu_epi16(y + at, mask, Pack(Apply<kAct>(low), Apply<kAct>(high)));
          }
        }
      }
    }
  }
}

/// Adds to two tiles of sums, patch values x 16 channels, products over pixels: A's and B's of 32 pixels each.
SPOTTER_INLINE void AddProducts(const bf16* a, int64_t next, const bf16* b, int64_t b_step, int64_t steps,
                                float* sums) {
  BeforeTilesAreLoaded();
  _tile_loadd(0, sums, kTileBytes);
  _tile_loadd(1, sums + kTileOutputs, kTileBytes);
  for (int64_t k = 0; k < steps; ++k) {
    _tile_loadd(4, a + k * kTileValues, kTileBytes);
    _tile_loadd(5, a + next + k * kTileValues, kTileBytes);
    _tile_loadd(6, b + k * b_step, kTileBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 5, 6);
  }
  _tile_stored(0, sums, kTileBytes);
  _tile_stored(1, sums + kTileOutputs, kTileBytes);
}

/// 16 channels of the gradients of 16 pairs of pixels, 0 beyond `rows` of them, and with y where that isn't positive.
SPOTTER_INLINE void LoadGradients(const bf16* dy, const bf16* y, int64_t stride, int64_t rows, __mmask16 mask,
                                  __m512* pairs) {
  if (y == nullptr) return LoadPairs(dy, stride, rows, mask, pairs);
  const auto load = [&](int64_t row) {
    // ReLU's output is never negative: it is positive where its bits, but for the sign, aren't 0.
    const __m256i output = _mm256_maskz_loadu_epi16(row < rows ? mask : 0, y + row * stride);
    const __mmask16 positive = _mm256_test_epi16_mask(output, _mm256_set1_epi16(0x7fff));
    return _mm256_maskz_loadu_epi16(positive, dy + row * stride);
  };
  for (int64_t i = 0; i < kTileRows; ++i) pairs[i] = _mm512_castsi512_ps(PairUp(load(2 * i), load(2 * i + 1)));
}

}  // namespace

int64_t PatchPackedSize(const ConvShape& s) { return OutTiles(s) * Chunks(s) * kTileValues; }

/// [16 channels][32 values][pair][channel][2]
void PackPatchWeights(const ConvShape& s, const float* weights, bf16* packed) {
  std::fill_n(packed, amx::PatchPackedSize(s), bf16{0});
  for (int64_t o = 0; o < s.out; ++o) {
    for (int64_t k = 0; k < Values(s); ++k) {
      const int64_t tile = o / kTileRows * Chunks(s) + k / kTileSums;
      packed[tile * kTileValues + k % kTileSums / 2 * kTileSums + o % kTileRows * 2 + k % 2] =
          ToBf16(weights[o * Values(s) + k]);
    }
  }
}

void PatchForward(const ConvShape& s, const bf16* x, const bf16* packed, const float* bias, Act act, bf16* z, bf16* y,
                  Scratch& scratch) {
  WithAct(act, [&]<Act kAct>() { Forward<kAct>(s, x, packed, bias, z, y, scratch); });
}

void PatchWeightGradient(const ConvShape& s, const bf16* x, const bf16* dy, const bf16* y, float* dw, float* db,
                         Scratch& scratch) {
  const int64_t row_tiles = PatchValues(s) / kTileRows;
  const int64_t out_tiles = (s.out + kTileRows - 1) / kTileRows;
  const int64_t sum_values = out_tiles * row_tiles * kTileOutputs;  // [16 channels][16 values][value][channel]
  const int64_t turned_values = PatchValues(s) * BandPixels(s);     // [16 values][32 pixels][value][pixel]
  Patches::Reserve(s, scratch);
  scratch.Reserve(
      kPairs, static_cast<size_t>(turned_values + out_tiles * kTileValues * BandPixels(s) / kTileSums) * sizeof(bf16));
  scratch.Reserve(kSums, static_cast<size_t>(sum_values) * sizeof(float));
  const int64_t bands = s.images * Bands(s);
  const int threads = scratch.threads();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int thread = 0; thread < threads; ++thread) {
    const TileSession session;
    const Patches patches(s, x, scratch);
    auto* turned = scratch.Get<bf16>(thread, kPairs);
    bf16* gradients = turned + turned_values;  // [32 pixels][16 channels][pair][channel][2]
    auto* sums = scratch.Get<float>(thread, kSums);
    std::fill_n(sums, sum_values, 0.0f);
    for (int64_t index = bands * thread / threads; index < bands * (thread + 1) / threads; ++index) {
      const Band band = BandAt(s, index);
      const bf16* own = patches.Of(band);
      const int64_t pixels = band.rows * s.conv_width();
      const int64_t first = (band.image * s.conv_height() + band.row) * s.conv_width();
      const int64_t steps = (pixels + kTileSums - 1) / kTileSums;
      for (int64_t k = 0; k < steps; ++k) {
        __m512 pairs[kTileRows];
        for (int64_t tile = 0; tile < row_tiles; ++tile) {
          LoadPairs(own + k * kTileSums * PatchValues(s) + tile * kTileRows, PatchValues(s), pairs);
          StoreTurned(pairs, kTileSums, turned + (tile * steps + k) * kTileValues);
        }
        for (int64_t tile = 0; tile < out_tiles; ++tile) {
          const int64_t at = (first + k * kTileSums) * s.out + tile * kTileRows;
          LoadGradients(dy + at, y != nullptr ? y + at : nullptr, s.out, pixels - k * kTileSums,
                        First16(s.out - tile * kTileRows), pairs);
          StorePairs(pairs, gradients + (k * out_tiles + tile) * kTileValues);
        }
      }
      for (int64_t tile = 0; tile < out_tiles; ++tile) {
        for (int64_t row = 0; row < row_tiles; row += 2)
          AddProducts(turned + row * steps * kTileValues, steps * kTileValues, gradients + tile * kTileValues,
                      out_tiles * kTileValues, steps, sums + (tile * row_tiles + row) * kTileOutputs);
      }
    }
  }
  const auto sum = [&](int64_t k, int64_t o) {
    const int64_t tile = o / kTileRows * row_tiles + k / kTileRows;
    float total = 0;
    for (int thread = 0; thread < threads; ++thread)
      total += scratch.Get<float>(thread, kSums)[tile * kTileOutputs + k % kTileRows * kTileRows + o % kTileRows];
    return total;
  };
  for (int64_t o = 0; o < s.out; ++o) {
    for (int64_t k = 0; k < Values(s); ++k) dw[o * Values(s) + k] = sum(k, o);
    if (db != nullptr) db[o] = sum(Values(s), o);
  }
}

}  // namespace spotter::kernels::amx
