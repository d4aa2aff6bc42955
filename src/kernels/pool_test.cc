// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu.h"
#include "kernels/test_values.h"

namespace spotter::kernels {
namespace {

class PoolTest : public testing::TestWithParam<PoolShape> {
 protected:
  void SetUp() override {
    if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  }
};

TEST_P(PoolTest, ForwardAndBackward) {
  const PoolShape& s = GetParam();
  const std::vector<float> x = RandomValues(s.images * s.height * s.width * s.channels, 1);
  const std::vector<float> dy = RandomValues(s.out_values(), 2);
  std::vector<float> expected;
  std::vector<float> expected_dx(x.size());
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t row = 0; row < s.out_height(); ++row) {
      for (int64_t column = 0; column < s.out_width(); ++column) {
        for (int64_t c = 0; c < s.channels; ++c) {
          size_t best = 0;
          for (int64_t i = 0; i < s.size * s.size; ++i) {
            const auto at = static_cast<size_t>(
                ((n * s.height + row * s.size + i / s.size) * s.width + column * s.size + i % s.size) * s.channels + c);
            if (i == 0 || x[at] > x[best]) best = at;
          }
          expected_dx[best] = dy[expected.size()];
          expected.push_back(x[best]);
        }
      }
    }
  }
  std::vector<bf16> y(expected.size());
  std::vector<uint8_t> place(expected.size());
  std::vector<bf16> dx(x.size(), 0x7fc1);
  MaxPool(s, AsBf16(x).data(), y.data(), place.data(), 2);
  EXPECT_EQ(AsFloat(y), expected);
  MaxPoolGradient(s, AsBf16(dy).data(), place.data(), dx.data(), 2);
  EXPECT_EQ(AsFloat(dx), expected_dx);
}

INSTANTIATE_TEST_SUITE_P(Sizes, PoolTest,
                         testing::Values(PoolShape{3, 8, 8, 64, 2}, PoolShape{2, 9, 7, 33, 2},
                                         PoolShape{4, 3, 3, 256, 3}, PoolShape{1, 11, 13, 5, 4},
                                         PoolShape{1, 2, 2, 1, 2}));

TEST(Dropout, DropsItsShareAndScalesTheRest) {
  if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  for (const double rate : {0.1, 0.5, 0.9}) {
    const int64_t n = 1'000'003;
    const std::vector<bf16> x(static_cast<size_t>(n), ToBf16(1));
    std::vector<bf16> y(x.size());
    Dropout(n, x.data(), rate, 7, y.data(), 2);
    double dropped = 0;
    double pairs = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      if (y[i] == 0) {
        ++dropped;
        pairs += i > 0 && y[i - 1] == 0 ? 1 : 0;
        continue;
      }
      ASSERT_EQ(y[i], ToBf16(static_cast<float>(1 / (1 - rate))));
    }
    const double deviation = std::sqrt(rate * (1 - rate) / n);
    EXPECT_NEAR(dropped / n, rate, 4 * deviation);
    EXPECT_NEAR(pairs / n, rate * rate, 8 * deviation);  // neighbours are dropped independently
    std::vector<bf16> again = x;
    Dropout(n, again.data(), rate, 7, again.data(), 3);
    EXPECT_EQ(again, y);
    Dropout(n, x.data(), rate, 8, again.data(), 2);
    EXPECT_NE(again, y);
  }
}

}  // namespace
}  // namespace spotter::kernels
