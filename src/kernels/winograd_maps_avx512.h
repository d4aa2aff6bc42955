// SPDX-License-Identifier: Apache-2.0
// Reading the pixels of a tile from a map, and the first half of their transforms. For *_avx512.cc only.
#pragma once

#include "kernels/map_view.h"
#include "kernels/prefetch.h"
#include "kernels/winograd_tiles.h"
#include "kernels/winograd_transforms.h"

namespace spotter::kernels {

/// Rows of a map (of one before its pool those, too), to be asked for in so many turns.
inline Prefetch RowsAhead(const MapView& map, const RowRange& rows, int64_t turns) {
  const int64_t window = map.argmax != nullptr ? 2 : 1;
  const int64_t row = map.width * map.channels;
  const int64_t first = rows.first / window;
  const int64_t last = (rows.last + window - 1) / window;
  return {map.values + first * row, (last - first) * row * int64_t{sizeof(bf16)}, turns};
}

/// Calls visit(i, pixel) for the kCount x kCount pixels from (top, left) on of an image, row by row: the number of the
/// pixel in the map, or -1 outside.
template <int kCount, typename Visit>
SPOTTER_INLINE void EachPixel(const MapView& map, int64_t image, int64_t top, int64_t left, Visit visit) {
  int64_t column[kCount];
  for (int j = 0; j < kCount; ++j) column[j] = left + j >= 0 && left + j < map.width ? left + j : -1;
  for (int i = 0; i < kCount; ++i) {
    const bool inside = top + i >= 0 && top + i < map.height;
    const int64_t row = (image * map.height + top + i) * map.width;
    for (int j = 0; j < kCount; ++j) visit(kCount * i + j, inside && column[j] >= 0 ? row + column[j] : -1);
  }
}

/// The kWide x kWide pixels from (top, left) on of an image of a map.
template <int kWide>
class MapPixels {
 public:
  static constexpr int kOwn = (kWide - kTile) / 2;  // the first that is the tile's own, not its neighbours' edge

  SPOTTER_INLINE_MEMBER void Find(const MapView& map, int64_t image, int64_t top, int64_t left) {
    EachPixel<kWide>(map, image, top, left, [&](int i, int64_t pixel) {
      at_[i] = pixel >= 0 ? map.values + pixel * map.channels : map.zeros;
    });
  }
  SPOTTER_INLINE_MEMBER void SetZero(const MapView& map) {
    for (auto& at : at_) at = map.zeros;
  }
  /// Asks for channels [first, last) of the tile's own pixels.
  SPOTTER_INLINE_MEMBER void Prefetch(int64_t first, int64_t last) const {
    for (int row = kOwn; row < kOwn + kTile; ++row) {
      for (int column = kOwn; column < kOwn + kTile; ++column) {
        for (int64_t c = first; c < last; c += kChunk) PrefetchLine(at_[kWide * row + column] + c);
      }
    }
  }

  /// The channels first to first + 31 of all pixels; kPart: those of `mask`, the others are 0.
  template <bool kPart>
  struct Chunk {
    SPOTTER_INLINE_MEMBER Chunk(const MapPixels& pixels, int64_t first, __mmask32 mask)
        : at(pixels.at_), first(first), mask(mask) {}
    SPOTTER_INLINE_MEMBER __m512i Load(int row, int column) const {
      const bf16* p = at[kWide * row + column] + first;
      return kPart ? _mm512_maskz_loadu_epi16(mask, p) : _mm512_loadu_si512(p);
    }
    const bf16* const* at;
    int64_t first;
    __mmask32 mask;
  };

 private:
  const bf16* at_[kWide * kWide];
};

/// Those of a gradient before its pool. kOdd: 1 where (top, left) are odd, 0 where they are even.
template <int kWide, int kOdd>
class PooledPixels {
 public:
  static constexpr int kWindows = kWide / 2 + kOdd;

  SPOTTER_INLINE_MEMBER void Find(const MapView& map, int64_t image, int64_t top, int64_t left) {
    EachPixel<kWindows>(map, image, (top - kOdd) / 2, (left - kOdd) / 2, [&](int i, int64_t pixel) {
      at_[i] = pixel >= 0 ? map.values + pixel * map.channels : map.zeros;
      words_[i] = map.argmax + (pixel >= 0 ? pixel * ArgmaxWordsOfPixel(map.channels) : 0);
    });
  }
  SPOTTER_INLINE_MEMBER void SetZero(const MapView& map) {
    for (auto& at : at_) at = map.zeros;
    for (auto& words : words_) words = map.argmax;
  }
  SPOTTER_INLINE_MEMBER void Prefetch(int64_t first, int64_t last) const {
    constexpr int kBegin = (MapPixels<kWide>::kOwn + kOdd) / 2;
    for (int row = kBegin; row < kBegin + kTile / 2; ++row) {
      for (int column = kBegin; column < kBegin + kTile / 2; ++column) {
        for (int64_t c = first; c < last; c += kChunk) PrefetchLine(at_[kWindows * row + column] + c);
        PrefetchLine(words_[kWindows * row + column] + first / 16);
      }
    }
  }

  template <bool kPart>
  struct Chunk {
    SPOTTER_INLINE_MEMBER Chunk(const PooledPixels& pixels, int64_t first, __mmask32 mask)
        : at(pixels.at_), first(first) {
      for (int i = 0; i < kWindows * kWindows; ++i) {
        const uint32_t right = pixels.words_[i][first / 16];
        const uint32_t lower = pixels.words_[i][first / 16 + 1];
        masks[i][0] = ~(right | lower) & mask;
        masks[i][1] = right & ~lower & mask;
        masks[i][2] = lower & ~right & mask;
        masks[i][3] = right & lower & mask;
      }
    }
    SPOTTER_INLINE_MEMBER __m512i Load(int row, int column) const {
      const int window = (row + kOdd) / 2 * kWindows + (column + kOdd) / 2;
      return _mm512_maskz_loadu_epi16(masks[window][(row + kOdd) % 2 * 2 + (column + kOdd) % 2], at[window] + first);
    }
    const bf16* const* at;
    int64_t first;
    uint32_t masks[kWindows * kWindows][4];  // by place in the window
  };

 private:
  const bf16* at_[kWindows * kWindows];
  const uint32_t* words_[kWindows * kWindows];
};

/// The pixels of a block's tiles, in turn, found and asked for two tiles before they are read: each tile's begin `pad`
/// before its outputs.
template <typename Pixels>
class TilePixels {
 public:
  /// Asks for channels [first, last).
  SPOTTER_INLINE_MEMBER TilePixels(const MapView& map, int64_t pad, const TileBlock& block, int64_t first, int64_t last)
      : map_(map), pad_(pad), block_(block), first_(first), last_(last) {
    for (int64_t t = 0; t < kAhead; ++t) Find(t);
  }
  /// Of tile t, which must be the one after the last call's; behind the block's end zeros. Good until the call after
  /// the next.
  SPOTTER_INLINE_MEMBER const Pixels& At(int64_t t) {
    Find(t + kAhead);
    return ring_[t % kRing];
  }

 private:
  static constexpr int64_t kAhead = 2;
  static constexpr int64_t kRing = 4;

  SPOTTER_INLINE_MEMBER void Find(int64_t t) {
    Pixels& pixels = ring_[t % kRing];
    if (t >= block_.count) {
      pixels.SetZero(map_);
      return;
    }
    const Tile& tile = block_.tiles[t];
    pixels.Find(map_, tile.image, kTile * tile.y - pad_, kTile * tile.x - pad_);
    pixels.Prefetch(first_, last_);
  }

  const MapView& map_;
  int64_t pad_;
  const TileBlock& block_;
  int64_t first_;
  int64_t last_;
  Pixels ring_[kRing];
};

/// Calls run<Rows, Columns>() with the transforms of a kind of tiles.
template <typename Run>
SPOTTER_INLINE void WithTransforms(TileKind kind, Run run) {
  if (kind.short_rows && kind.short_columns) {
    run.template operator()<OfShortInput, OfShortInput>();
  } else if (kind.short_rows) {
    run.template operator()<OfShortInput, OfInput>();
  } else if (kind.short_columns) {
    run.template operator()<OfInput, OfShortInput>();
  } else {
    run.template operator()<OfInput, OfInput>();
  }
}

/// 32 channels of a tile, even and odd ones, half way: kPairs pairs of rows, kColumns values a row.
template <typename Of, int kFirst, int kPairs, int kColumns, bool kPart, typename Pixels>
SPOTTER_INLINE void TransformColumns(const Pixels& pixels, int64_t channel, __mmask32 mask, __m512* even, __m512* odd) {
  const typename Pixels::template Chunk<kPart> chunk(pixels, channel, mask);
#pragma GCC unroll 6
  for (int j = 0; j < kColumns; ++j) {
    __m512 low[Of::kSize];
    __m512 high[Of::kSize];
#pragma GCC unroll 6
    for (int i = 0; i < Of::kSize; ++i) {
      const __m512i v = chunk.Load(i, j);
      low[i] = Even(v);
      high[i] = Odd(v);
    }
    Transform<Of, kFirst, kPairs>(low, 1, even + j, kColumns);
    Transform<Of, kFirst, kPairs>(high, 1, odd + j, kColumns);
  }
}

/// The other half of two such transforms, 16 channels of one tile or of two: side by side, or in turns (kInterleave;
/// `order` is Interleaved()), by frequency at `to`, `stride` apart.
template <typename Of, int kPairs, bool kInterleave>
SPOTTER_INLINE void StoreRows(const __m512* a, const __m512* b, __m512i order, bf16* to, int64_t stride) {
#pragma GCC unroll 6
  for (int i = 0; i < 2 * kPairs; ++i) {
    __m512 first[kSide];
    __m512 second[kSide];
    Transform<Of, 0, Of::kPairs>(a + Of::kSize * i, 1, first, 1);
    Transform<Of, 0, Of::kPairs>(b + Of::kSize * i, 1, second, 1);
#pragma GCC unroll 6
    for (int j = 0; j < 2 * Of::kPairs; ++j) {
      const __m512i packed = Pack(first[j], second[j]);
      _mm512_storeu_si512(to + (kSide * i + j) * stride,
                          kInterleave ? _mm512_permutexvar_epi16(order, packed) : packed);
    }
  }
}

}  // namespace spotter::kernels
