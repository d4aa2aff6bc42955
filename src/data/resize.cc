// SPDX-License-Identifier: Apache-2.0
// Bilinear resampling whose support grows with the reduction, so that a smaller image is an average and not a
// sample.
//
// The same arithmetic as Pillow's Image.resize(BILINEAR): two passes, weights in 22-bit fixed point, 8 bits
// between.
#include <algorithm>
#include <cmath>
#include <utility>

#include "data/image.h"

namespace spotter {
namespace {

constexpr int kWeightBits = 22;  // a weight of 1 times 255, and some sums, still fit into 32 bits

/// A part of one axis of an image, in its pixels.
struct Interval {
  double begin = 0;
  double end = 0;
};

/// For each output pixel: the first input pixel it draws from, and the weights of that and the following
/// ones.
struct Weights {
  int most = 0;  // room for each output pixel
  std::vector<int> first;
  std::vector<int> count;
  std::vector<int32_t> values;  // (out, most)
};

Weights MakeWeights(int in_size, Interval from, int out_size) {
  const double scale = (from.end - from.begin) / out_size;
  const double support = std::max(scale, 1.0);
  Weights weights;
  weights.most = static_cast<int>(std::ceil(support)) * 2 + 1;
  weights.first.resize(out_size);
  weights.count.resize(out_size);
  weights.values.resize(static_cast<size_t>(out_size) * weights.most);
  std::vector<double> exact(weights.most);
  for (int i = 0; i < out_size; ++i) {
    const double centre = from.begin + (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int last = std::min(in_size, static_cast<int>(centre + support + 0.5));
    double sum = 0;
    for (int x = first; x < last; ++x) {
      exact[x - first] = std::max(0.0, 1 - std::abs((x - centre + 0.5) / support));
      sum += exact[x - first];
    }
    weights.first[i] = first;
    weights.count[i] = last - first;
    for (int x = 0; x < last - first; ++x) {
      const double weight = sum > 0 ? exact[x] / sum : 0;
      weights.values[static_cast<size_t>(i) * weights.most + x] =
          static_cast<int32_t>(0.5 + weight * (1 << kWeightBits));
    }
  }
  return weights;
}

uint8_t ToByte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

Image ResizeRows(const Image& in, Interval columns, int width) {
  const auto [height, in_width, channels] = in.shape;
  const Weights weights = MakeWeights(in_width, columns, width);
  Image out{{height, width, channels}, {}};
  out.pixels.resize(out.shape.size());
  uint8_t* target = out.pixels.data();
  for (int y = 0; y < height; ++y) {
    const uint8_t* row = in.pixels.data() + int64_t{y} * in_width * channels;
    for (int x = 0; x < width; ++x) {
      const int32_t* weight = weights.values.data() + static_cast<size_t>(x) * weights.most;
      const uint8_t* first = row + int64_t{weights.first[x]} * channels;
      for (int c = 0; c < channels; ++c) {
        int32_t sum = 1 << (kWeightBits - 1);
        for (int i = 0; i < weights.count[x]; ++i) sum += weight[i] * first[i * channels + c];
        *target++ = ToByte(sum);
      }
    }
  }
  return out;
}

Image ResizeColumns(const Image& in, Interval rows, int height) {
  const auto [in_height, width, channels] = in.shape;
  const Weights weights = MakeWeights(in_height, rows, height);
  Image out{{height, width, channels}, {}};
  out.pixels.resize(out.shape.size());
  const int64_t row_bytes = int64_t{width} * channels;
  std::vector<int32_t> sums(row_bytes);
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), 1 << (kWeightBits - 1));
    for (int i = 0; i < weights.count[y]; ++i) {
      const int32_t weight = weights.values[static_cast<size_t>(y) * weights.most + i];
      const uint8_t* row = in.pixels.data() + (weights.first[y] + i) * row_bytes;
      for (int64_t x = 0; x < row_bytes; ++x) sums[x] += weight * row[x];
    }
    std::transform(sums.begin(), sums.end(), out.pixels.begin() + y * row_bytes, ToByte);
  }
  return out;
}

/// The part of `in` between the intervals, resampled to height x width.
Image Resample(Image in, Interval rows, Interval columns, int height, int width) {
  const bool same_columns = columns.begin == 0 && columns.end == in.shape.width && width == in.shape.width;
  const bool same_rows = rows.begin == 0 && rows.end == in.shape.height && height == in.shape.height;
  if (!same_columns) in = ResizeRows(in, columns, width);
  if (!same_rows) in = ResizeColumns(in, rows, height);
  return in;
}

Image Stretch(Image in, int height, int width) {
  const Interval rows{0, static_cast<double>(in.shape.height)};
  const Interval columns{0, static_cast<double>(in.shape.width)};
  return Resample(std::move(in), rows, columns, height, width);
}

/// The largest centred part that has the target's proportions. Resampling only that is what cutting the
/// resampled whole would give, without the memory that a long thin image would take.
Image Crop(Image in, int height, int width) {
  const double scale =
      std::min(static_cast<double>(in.shape.height) / height, static_cast<double>(in.shape.width) / width);
  const auto centred = [&](int in_size, int out_size) {
    const double margin = (in_size - out_size * scale) / 2;
    return Interval{std::max(0.0, margin), std::min<double>(in_size, in_size - margin)};
  };
  const Interval rows = centred(in.shape.height, height);
  const Interval columns = centred(in.shape.width, width);
  return Resample(std::move(in), rows, columns, height, width);
}

Image Pad(Image in, int height, int width) {
  const double scale =
      std::min(static_cast<double>(height) / in.shape.height, static_cast<double>(width) / in.shape.width);
  const auto scaled = [&](int size, int most) {
    return std::clamp(static_cast<int>(std::lround(size * scale)), 1, most);
  };
  const int inner_height = scaled(in.shape.height, height);
  const int inner_width = scaled(in.shape.width, width);
  const Image inner = Stretch(std::move(in), inner_height, inner_width);
  const int channels = inner.shape.channels;
  Image out{{height, width, channels}, {}};
  out.pixels.assign(out.shape.size(), 0);
  const int64_t top = (height - inner_height) / 2;
  const int64_t left = (width - inner_width) / 2;
  const int64_t row_bytes = int64_t{inner_width} * channels;
  for (int64_t y = 0; y < inner_height; ++y) {
    std::copy_n(inner.pixels.data() + y * row_bytes, row_bytes,
                out.pixels.data() + ((top + y) * width + left) * channels);
  }
  return out;
}

Image ToGrey(const Image& in) {
  Image out{{in.shape.height, in.shape.width, 1}, {}};
  out.pixels.reserve(out.shape.size());
  for (size_t i = 0; i + 2 < in.pixels.size(); i += 3) {
    const uint32_t luma = in.pixels[i] * 19595u + in.pixels[i + 1] * 38470u + in.pixels[i + 2] * 7471u;
    out.pixels.push_back(static_cast<uint8_t>((luma + 0x8000) >> 16));
  }
  return out;
}

Image ToColour(const Image& in) {
  Image out{{in.shape.height, in.shape.width, 3}, {}};
  out.pixels.reserve(out.shape.size());
  for (const uint8_t value : in.pixels) out.pixels.insert(out.pixels.end(), 3, value);
  return out;
}

}  // namespace

Image FitImage(Image image, const ImageShape& target, ResizePolicy policy) {
  if (image.shape.channels == 3 && target.channels == 1) image = ToGrey(image);
  if (image.shape.height != target.height || image.shape.width != target.width) {
    switch (policy) {
      case ResizePolicy::kStretch:
        image = Stretch(std::move(image), target.height, target.width);
        break;
      case ResizePolicy::kCrop:
        image = Crop(std::move(image), target.height, target.width);
        break;
      case ResizePolicy::kPad:
        image = Pad(std::move(image), target.height, target.width);
        break;
    }
  }
  if (image.shape.channels == 1 && target.channels == 3) image = ToColour(image);
  return image;
}

}  // namespace spotter
