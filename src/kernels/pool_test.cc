// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu.h"
#include "kernels/norm_pool.h"
#include "kernels/reference_maps.h"
#include "kernels/test_values.h"

namespace spotter::kernels {
namespace {

std::vector<double> Wide(const std::vector<float>& values) { return {values.begin(), values.end()}; }

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
  std::vector<uint8_t> expected_place;
  const std::vector<double> expected = ReferenceMaxPool(s, Wide(x), expected_place);
  std::vector<bf16> y(expected.size());
  std::vector<uint8_t> place(expected.size());
  std::vector<bf16> dx(x.size(), 0x7fc1);
  MaxPool(s, AsBf16(x).data(), y.data(), place.data(), 2);
  EXPECT_EQ(Wide(AsFloat(y)), expected);
  EXPECT_EQ(place, expected_place);
  MaxPoolGradient(s, AsBf16(dy).data(), place.data(), dx.data(), 2);
  EXPECT_EQ(Wide(AsFloat(dx)), ReferenceMaxPoolGradient(s, Wide(dy), expected_place));
}

// NaN is larger than anything: a run that has diverged is not to look sound.
TEST_P(PoolTest, NanStays) {
  const PoolShape& s = GetParam();
  for (int64_t at = 0; at < s.size * s.size; ++at) {
    std::vector<float> x = RandomValues(s.images * s.height * s.width * s.channels, 1);
    x[static_cast<size_t>((at / s.size * s.width + at % s.size) * s.channels)] = std::nanf("");
    std::vector<bf16> y(static_cast<size_t>(s.out_values()));
    std::vector<uint8_t> place(y.size());
    MaxPool(s, AsBf16(x).data(), y.data(), place.data(), 1);
    EXPECT_TRUE(std::isnan(ToFloat(y[0]))) << at;
    EXPECT_EQ(place[0], at);
    const std::vector<float> ones(static_cast<size_t>(s.channels), 1);
    NormMaxPool(s, AsBf16(x).data(), ones.data(), ones.data(), Act::kRelu, y.data(), nullptr, nullptr, 1);
    EXPECT_TRUE(std::isnan(ToFloat(y[0]))) << at;
  }
}

// The pool of act(x * factor + shift), its gradient in every value, and that of the statistics added.
TEST_P(PoolTest, WithNormalisation) {
  const PoolShape& s = GetParam();
  const std::vector<float> x = RandomValues(s.images * s.height * s.width * s.channels, 1);
  const std::vector<float> dy = RandomValues(s.out_values(), 2);
  const std::vector<float> factor = RandomValues(s.channels, 3);  // of both signs: the smallest may become the largest
  const std::vector<float> shift = RandomValues(s.channels, 4);
  const std::vector<float> by_x = RandomValues(s.channels, 5);
  const std::vector<float> constant = RandomValues(s.channels, 6);
  for (const Act act : {Act::kNone, Act::kRelu}) {
    std::vector<double> z;  // in fp32, as the kernel compares: there other values are equal than in fp64
    for (size_t i = 0; i < x.size(); ++i) {
      z.push_back(std::fma(x[i], factor[i % factor.size()], shift[i % factor.size()]));
    }
    std::vector<uint8_t> expected_place;
    std::vector<double> expected = ReferenceMaxPool(s, z, expected_place);
    std::vector<double> dz;
    for (size_t i = 0; i < expected.size(); ++i) {
      dz.push_back(double{dy[i]} * ReferenceSlope(act, expected[i]) * factor[i % factor.size()]);
      expected[i] = ReferenceAct(act, expected[i]);
    }
    std::vector<double> expected_dx = ReferenceMaxPoolGradient(s, dz, expected_place);
    for (size_t i = 0; i < x.size(); ++i) {
      expected_dx[i] += double{x[i]} * by_x[i % by_x.size()] + constant[i % by_x.size()];
    }
    std::vector<bf16> y(expected.size(), 0x7fc1), best(expected.size(), 0x7fc1), dx(x.size(), 0x7fc1);
    std::vector<uint8_t> place(expected.size());
    NormMaxPool(s, AsBf16(x).data(), factor.data(), shift.data(), act, y.data(), best.data(), place.data(), 2);
    ExpectNear(expected, AsFloat(y), 1.0 / 256);
    EXPECT_EQ(place, expected_place);
    // `best` is x there: what the pool's gradient of ones finds in x.
    std::vector<double> at_best = ReferenceMaxPoolGradient(s, Wide(AsFloat(best)), expected_place);
    const std::vector<double> is_best =
        ReferenceMaxPoolGradient(s, std::vector<double>(best.size(), 1), expected_place);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(at_best[i], is_best[i] * x[i]);
    NormMaxPoolGradient(s, AsBf16(x).data(), AsBf16(dy).data(), best.data(), place.data(), factor.data(), shift.data(),
                        by_x.data(), constant.data(), act, dx.data(), 2);
    ExpectNear(expected_dx, AsFloat(dx), 1.0 / 256);
  }
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
    constexpr uint64_t kSeed = 0x9e3779b97f4a7c15;  // both halves count
    Dropout(n, x.data(), rate, kSeed, y.data(), 2);
    double dropped = 0;
    double pairs = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      ASSERT_EQ(y[i] == 0, ReferenceIsDropped(static_cast<int64_t>(i), rate, kSeed)) << i;
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
    Dropout(n, again.data(), rate, kSeed, again.data(), 3);
    EXPECT_EQ(again, y);
    Dropout(n, x.data(), rate, kSeed + 1, again.data(), 2);
    EXPECT_NE(again, y);
  }
}

}  // namespace
}  // namespace spotter::kernels
