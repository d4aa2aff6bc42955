// SPDX-License-Identifier: Apache-2.0
// Values for the kernels' tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "kernels/bf16.h"
#include "kernels/scratch.h"

namespace spotter::kernels {

/// Normal values that bf16 holds exactly, so that kernel and reference get the same.
inline std::vector<float> RandomValues(int64_t n, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = ToFloat(ToBf16(normal(random)));
  return values;
}
inline std::vector<bf16> AsBf16(const std::vector<float>& values) {
  std::vector<bf16> out;
  out.reserve(values.size());
  for (const float value : values) out.push_back(ToBf16(value));
  return out;
}
inline std::vector<float> AsFloat(std::span<const bf16> values) {
  std::vector<float> out;
  out.reserve(values.size());
  for (const bf16 value : values) out.push_back(ToFloat(value));
  return out;
}

/// What is read from there without having been written shows as NaN.
inline void FillWithNan(Scratch& scratch) {
  constexpr size_t kBytes = 4 << 20;
  for (int slot = 0; slot < 4; ++slot) {
    scratch.Reserve(slot, kBytes);
    for (int thread = 0; thread < scratch.threads(); ++thread)
      std::memset(scratch.Get<char>(thread, slot), 0xff, kBytes);
  }
}

/// Root mean square of the difference, relative to that of the expected values. NaN where a value is.
template <typename Expected>
double RelativeError(const std::vector<Expected>& expected, const std::vector<float>& found) {
  double error = 0;
  double size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += (found[i] - expected[i]) * (found[i] - expected[i]);
    size += static_cast<double>(expected[i]) * expected[i];
  }
  return std::sqrt(error / (size > 0 ? size : 1));
}

/// The root mean square of the errors is below `bound` times that of the expected values, and no error is far above
/// that: one wrong value among many would hide in the mean.
template <typename Expected>
void ExpectNear(const std::vector<Expected>& expected, const std::vector<float>& found, double bound) {
  constexpr double kFar = 16;
  ASSERT_EQ(expected.size(), found.size());
  EXPECT_LT(RelativeError(expected, found), bound);
  double size = 0;
  for (const Expected value : expected) size += static_cast<double>(value) * value;
  const double limit = kFar * bound * std::sqrt(size / static_cast<double>(expected.size()));
  size_t wrong = 0;
  size_t last = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::abs(found[i] - static_cast<double>(expected[i])) <= limit) continue;
    ++wrong;
    last = i;
  }
  EXPECT_EQ(wrong, 0U) << "the last at " << last << ": " << found[last] << " for " << expected[last];
}

}  // namespace spotter::kernels
