// SPDX-License-Identifier: Apache-2.0
#include "augment/batch.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/random.h"

namespace spotter {
namespace {

/// The normalised value of each pixel value of each channel: a look-up is faster than arithmetic, and exact.
using Table = std::array<std::array<float, 256>, 3>;

Table MakeTable(const Preprocessing& preprocessing) {
  Table table;
  for (size_t c = 0; c < 3; ++c) {
    for (size_t v = 0; v < 256; ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0f - preprocessing.mean[c]) / preprocessing.std[c];
    }
  }
  return table;
}

/// The row or column that output position i shows, or -1 for black.
int Source(int i, int shift, int size, ShiftFill fill) {
  const int from = i - shift;
  if (from >= 0 && from < size) return from;
  if (fill == ShiftFill::kZero) return -1;
  return from < 0 ? -from : 2 * size - 2 - from;
}

/// Rows are written in three parts: what the shift brings in on the left, the image's own pixels, and the right.
template <int kChannels>
void WriteImage(const uint8_t* image, const ImageShape& shape, const Placement& place, ShiftFill fill,
                const Table& table, float* out) {
  constexpr uint8_t kBlack[kChannels] = {};
  const int width = shape.width;
  const int begin = std::clamp(place.dx, 0, width);
  const int end = std::clamp(width + place.dx, 0, width);
  const auto at = [&](int column) { return place.flip ? width - 1 - column : column; };
  const auto write = [&](const uint8_t* pixel) {
    for (int c = 0; c < kChannels; ++c) *out++ = table[c][pixel[c]];
  };
  for (int y = 0; y < shape.height; ++y) {
    const int from = Source(y, place.dy, shape.height, fill);
    if (from < 0) {
      for (int x = 0; x < width; ++x) write(kBlack);
      continue;
    }
    const uint8_t* row = image + int64_t{from} * width * kChannels;
    const auto edge = [&](int first, int last) {
      for (int x = first; x < last; ++x) {
        const int column = Source(x, place.dx, width, fill);
        write(column < 0 ? kBlack : row + at(column) * kChannels);
      }
    };
    edge(0, begin);
    int column = at(begin - place.dx);
    for (int x = begin; x < end; ++x, column += place.flip ? -1 : 1) write(row + column * kChannels);
    edge(end, width);
  }
}

void Write(const Dataset& data, int64_t index, const Placement& place, ShiftFill fill, const Table& table, float* out) {
  if (data.shape.channels == 1) {
    WriteImage<1>(data.image(index), data.shape, place, fill, table, out);
  } else {
    WriteImage<3>(data.image(index), data.shape, place, fill, table, out);
  }
}

/// A square of an image's network input becomes 0.
void Clear(const ImageShape& shape, const Corner& corner, int side, float* out) {
  for (int y = corner.y; y < corner.y + side; ++y) {
    std::fill_n(out + (int64_t{y} * shape.width + corner.x) * shape.channels, side * shape.channels, 0.0f);
  }
}

}  // namespace

bool Augments(const Augmentation& a) {
  return a.flip || a.shift > 0 || a.brightness > 0 || a.contrast > 0 || a.cutout > 0;
}

Placement DrawPlacement(const Augmentation& augmentation, uint64_t seed, int64_t epoch, int64_t index) {
  const auto words = RandomWords(seed, Stream::kAugment, static_cast<uint32_t>(epoch), static_cast<uint64_t>(index));
  const auto offset = [&](uint32_t word) {
    return static_cast<int>(BoundedInt(word, 2 * static_cast<uint32_t>(augmentation.shift) + 1)) - augmentation.shift;
  };
  const auto mirrored = [&] {
    if (!augmentation.alternating) return (words[0] & 1) != 0;
    const uint32_t begins = RandomWords(seed, Stream::kFlip, 0, static_cast<uint64_t>(index))[0] & 1;
    return ((begins + static_cast<uint64_t>(epoch)) & 1) != 0;
  };
  return {augmentation.flip && mirrored(), offset(words[1]), offset(words[2])};
}

Jitter DrawJitter(const Augmentation& augmentation, uint64_t seed, int64_t epoch, int64_t index) {
  const auto words = RandomWords(seed, Stream::kJitter, static_cast<uint32_t>(epoch), static_cast<uint64_t>(index));
  const auto within = [](uint32_t word, double most) { return static_cast<float>((2.0 * UnitFloat(word) - 1) * most); };
  return {within(words[0], augmentation.brightness), 1 + within(words[1], augmentation.contrast)};
}

Corner DrawCutout(const Augmentation& augmentation, const ImageShape& shape, uint64_t seed, int64_t epoch,
                  int64_t index) {
  const auto words = RandomWords(seed, Stream::kCutout, static_cast<uint32_t>(epoch), static_cast<uint64_t>(index));
  const auto place = [&](uint32_t word, int side) {
    return static_cast<int>(BoundedInt(word, static_cast<uint32_t>(side - augmentation.cutout + 1)));
  };
  return {place(words[0], shape.height), place(words[1], shape.width)};
}

void WriteBatch(const Dataset& data, std::span<const int64_t> indices, const Preprocessing& preprocessing, float* out) {
  const Table table = MakeTable(preprocessing);
  for (const int64_t index : indices) {
    Write(data, index, Placement{}, ShiftFill::kZero, table, out);
    out += data.shape.size();
  }
}

void WriteAugmentedBatch(const Dataset& data, std::span<const int64_t> indices, const Preprocessing& preprocessing,
                         const Augmentation& augmentation, uint64_t seed, int64_t epoch, float* out) {
  const Table table = MakeTable(preprocessing);
  for (const int64_t index : indices) {
    Write(data, index, DrawPlacement(augmentation, seed, epoch, index), augmentation.fill, table, out);
    if (augmentation.brightness > 0 || augmentation.contrast > 0) {
      const Jitter jitter = DrawJitter(augmentation, seed, epoch, index);
      for (int64_t i = 0; i < data.shape.size(); ++i) out[i] = (out[i] + jitter.shift) * jitter.factor;
    }
    if (augmentation.cutout > 0) {
      Clear(data.shape, DrawCutout(augmentation, data.shape, seed, epoch, index), augmentation.cutout, out);
    }
    out += data.shape.size();
  }
}

}  // namespace spotter
