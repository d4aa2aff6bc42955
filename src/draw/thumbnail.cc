// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "draw/pixels.h"

namespace spotter {
namespace {

/// The pixels [first, first + weights.size()) of a line that one smaller pixel covers; the weights sum to 1.
struct Cover {
  int first = 0;
  std::vector<double> weights;
};

std::vector<Cover> Covers(int from, int to) {
  std::vector<Cover> covers(static_cast<size_t>(to));
  const double scale = static_cast<double>(from) / to;
  for (int i = 0; i < to; ++i) {
    const double begin = i * scale;
    const double end = std::min<double>(from, (i + 1) * scale);
    Cover& cover = covers[static_cast<size_t>(i)];
    cover.first = static_cast<int>(begin);
    for (int p = cover.first; p < end; ++p) {
      cover.weights.push_back((std::min<double>(p + 1, end) - std::max<double>(p, begin)) / scale);
    }
  }
  return covers;
}

}  // namespace

Picture Thumbnail(const PixelView& pixels, int side) {
  const Picture whole = ToPicture(pixels);
  const int longer = std::max(whole.height, whole.width);
  if (longer <= side) return whole;
  const auto shrunk = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(length) * side / longer)));
  };
  Picture small{shrunk(whole.height), shrunk(whole.width), {}};
  const std::vector<Cover> columns = Covers(whole.width, small.width);
  for (const Cover& row : Covers(whole.height, small.height)) {
    for (const Cover& column : columns) {
      double sum[3] = {0, 0, 0};
      for (size_t y = 0; y < row.weights.size(); ++y) {
        const uint8_t* line =
            whole.rgb.data() + ((row.first + y) * static_cast<size_t>(whole.width) + column.first) * 3;
        for (size_t i = 0; i < column.weights.size() * 3; ++i)
          sum[i % 3] += row.weights[y] * column.weights[i / 3] * line[i];
      }
      for (const double value : sum) small.rgb.push_back(static_cast<uint8_t>(std::lround(value)));
    }
  }
  return small;
}

}  // namespace spotter
