// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference_maps.h"

#include <algorithm>
#include <cmath>

namespace spotter::kernels {
namespace {

double Phi(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }
double Sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

/// The place in a map of what stands at `inside`, 0 .. size * size - 1 in reading order, in the window of a pool's
/// output.
size_t InWindow(const PoolShape& s, size_t output, int64_t inside) {
  const auto out = static_cast<int64_t>(output);
  const int64_t channel = out % s.channels;
  const int64_t column = out / s.channels % s.out_width() * s.size + inside % s.size;
  const int64_t line = out / s.channels / s.out_width();
  const int64_t row = line % s.out_height() * s.size + inside / s.size;
  const int64_t image = line / s.out_height();
  return static_cast<size_t>(((image * s.height + row) * s.width + column) * s.channels + channel);
}

uint32_t Mix(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  return x ^ x >> 16;
}

}  // namespace

double ReferenceAct(Act act, double z) {
  switch (act) {
    case Act::kRelu:
      return std::max(z, 0.0);
    case Act::kGelu:
      return z * Phi(z);
    case Act::kSilu:
      return z * Sigmoid(z);
    case Act::kNone:
      break;
  }
  return z;
}

double ReferenceSlope(Act act, double z) {
  switch (act) {
    case Act::kRelu:
      return z > 0 ? 1 : 0;
    case Act::kGelu:
      return Phi(z) + z * std::exp(-z * z / 2) / std::sqrt(2 * M_PI);
    case Act::kSilu:
      return Sigmoid(z) * (1 + z * (1 - Sigmoid(z)));
    case Act::kNone:
      break;
  }
  return 1;
}

Moments ReferenceMoments(const RowShape& s, const std::vector<float>& x) {
  const auto channels = static_cast<size_t>(s.channels);
  const auto rows = static_cast<double>(s.rows);
  Moments moments{std::vector<double>(channels), std::vector<double>(channels)};
  for (size_t i = 0; i < x.size(); ++i) moments.mean[i % channels] += x[i] / rows;
  for (size_t i = 0; i < x.size(); ++i) {
    const double from_mean = x[i] - moments.mean[i % channels];
    moments.variance[i % channels] += from_mean * from_mean / rows;
  }
  return moments;
}

std::vector<double> ReferenceScaleShift(const RowShape& s, const std::vector<float>& x,
                                        const std::vector<float>& factor, const std::vector<float>& shift) {
  std::vector<double> z;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i % static_cast<size_t>(s.channels);
    z.push_back(double{x[i]} * factor[c] + shift[c]);
  }
  return z;
}

std::vector<double> ReferenceSums(const RowShape& s, const std::vector<double>& values) {
  std::vector<double> sums(static_cast<size_t>(s.channels));
  for (size_t i = 0; i < values.size(); ++i) sums[i % sums.size()] += values[i];
  return sums;
}

std::vector<double> ReferenceMaxPool(const PoolShape& s, const std::vector<double>& x, std::vector<uint8_t>& place) {
  std::vector<double> y(static_cast<size_t>(s.out_values()));
  place.assign(y.size(), 0);
  for (size_t out = 0; out < y.size(); ++out) {
    y[out] = x[InWindow(s, out, 0)];
    for (int64_t inside = 1; inside < s.size * s.size; ++inside) {
      const double value = x[InWindow(s, out, inside)];
      if (value <= y[out]) continue;
      y[out] = value;
      place[out] = static_cast<uint8_t>(inside);
    }
  }
  return y;
}

std::vector<double> ReferenceMaxPoolGradient(const PoolShape& s, const std::vector<double>& dy,
                                             const std::vector<uint8_t>& place) {
  std::vector<double> dx(static_cast<size_t>(s.images * s.height * s.width * s.channels));
  for (size_t out = 0; out < dy.size(); ++out) dx[InWindow(s, out, place[out])] = dy[out];
  return dx;
}

bool ReferenceIsDropped(int64_t i, double rate, uint64_t seed) {
  const auto place = static_cast<uint64_t>(i);
  const auto low = static_cast<uint32_t>(place) ^ static_cast<uint32_t>(seed);
  const auto high = static_cast<uint32_t>((seed >> 32) + (place >> 32));
  return Mix(Mix(low) ^ high) < static_cast<uint32_t>(std::lround(rate * 4294967295.0));
}

}  // namespace spotter::kernels
