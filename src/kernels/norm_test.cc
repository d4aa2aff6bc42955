// SPDX-License-Identifier: Apache-2.0
// Normalisation and activations against their definitions in double.
#include "kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/cpu.h"
#include "kernels/reference_maps.h"
#include "kernels/test_values.h"

namespace spotter::kernels {
namespace {

struct Case {
  RowShape shape;
  int threads;
};

class NormTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  }
  const RowShape& s = GetParam().shape;
  int64_t size() const { return s.rows * s.channels; }
  Scratch scratch{GetParam().threads};
  std::vector<float> x = RandomValues(size(), 1, 3);
  std::vector<float> dy = RandomValues(size(), 2);
  std::vector<float> factor = RandomValues(s.channels, 3);
  std::vector<float> shift = RandomValues(s.channels, 4);
  std::vector<float> mean = RandomValues(s.channels, 5);
  std::vector<float> by_x = RandomValues(s.channels, 6);
  std::vector<float> constant = RandomValues(s.channels, 7);
};
constexpr Act kActs[] = {Act::kNone, Act::kRelu, Act::kGelu, Act::kSilu};
constexpr double kRounding = 1.0 / 256;  // half a unit in the last place of a bf16

TEST_P(NormTest, Moments) {
  std::vector<float> found_mean(s.channels), found_variance(s.channels);
  // A mean far from 0 is where sums of squares lose their digits.
  for (float& value : x) value = ToFloat(ToBf16(value + 100));
  ChannelMoments(s, AsBf16(x).data(), found_mean.data(), found_variance.data(), scratch);
  const Moments expected = ReferenceMoments(s, x);
  for (size_t c = 0; c < found_mean.size(); ++c) {
    EXPECT_NEAR(found_mean[c], expected.mean[c], 1e-5 * std::abs(expected.mean[c]));
    EXPECT_NEAR(found_variance[c], expected.variance[c], 1e-4 * expected.variance[c]);
  }
}

TEST_P(NormTest, ForwardAndBackward) {
  const std::vector<double> z = ReferenceScaleShift(s, x, factor, shift);
  for (const Act act : kActs) {
    std::vector<double> y, exact_dz, dz_x, dx;
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t c = i % factor.size();
      y.push_back(ReferenceAct(act, z[i]));
      exact_dz.push_back(dy[i] * ReferenceSlope(act, z[i]));
      dz_x.push_back(exact_dz[i] * (x[i] - mean[c]));
      dx.push_back(exact_dz[i] * factor[c] + x[i] * by_x[c] + constant[c]);
    }
    const std::vector<bf16> input = AsBf16(x);
    std::vector<bf16> gradient = AsBf16(dy);
    std::vector<bf16> output(input.size());
    ScaleShiftAct(s, input.data(), factor.data(), shift.data(), act, output.data(), scratch);
    ExpectNear(y, AsFloat(output), kRounding);
    std::vector<float> found(s.channels), found_x(s.channels);
    std::vector<bf16> dz(gradient.size());
    GradientSums(s, input.data(), gradient.data(), factor.data(), shift.data(), mean.data(), act, found.data(),
                 found_x.data(), dz.data(), scratch);
    const double error = act == Act::kGelu ? 3e-5 : 1e-5;  // its slope is a fit
    EXPECT_LT(RelativeError(ReferenceSums(s, exact_dz), found), error);
    EXPECT_LT(RelativeError(ReferenceSums(s, dz_x), found_x), error);
    ActGradient(s, input.data(), gradient.data(), factor.data(), shift.data(), by_x.data(), constant.data(), act,
                gradient.data(), scratch);
    ExpectNear(dx, AsFloat(gradient), kRounding);
    // The second pass from the first one's dz, which was rounded once more.
    ActGradient(s, input.data(), dz.data(), factor.data(), nullptr, by_x.data(), constant.data(), Act::kNone, dz.data(),
                scratch);
    ExpectNear(dx, AsFloat(dz), 2 * kRounding);
  }
}

TEST_P(NormTest, NothingGivenCountsAsOneAndZero) {
  const std::vector<bf16> input = AsBf16(x);
  std::vector<bf16> output(input.size());
  ScaleShiftAct(s, input.data(), nullptr, nullptr, Act::kNone, output.data(), scratch);
  EXPECT_EQ(output, input);
  std::vector<bf16> gradient = AsBf16(dy);
  ActGradient(s, input.data(), gradient.data(), nullptr, nullptr, nullptr, nullptr, Act::kNone, gradient.data(),
              scratch);
  EXPECT_EQ(AsFloat(gradient), dy);
}

TEST_P(NormTest, ReluByItsOutput) {
  std::vector<float> y = x;
  for (float& value : y) value = std::max(value, 0.0f);
  std::vector<double> expected;
  for (size_t i = 0; i < y.size(); ++i) expected.push_back(dy[i] * ReferenceSlope(Act::kRelu, y[i]));
  std::vector<bf16> gradient = AsBf16(dy);
  std::vector<float> found(s.channels);
  ReluGradient(s, AsBf16(y).data(), gradient.data(), found.data(), scratch);
  EXPECT_EQ(RelativeError(expected, AsFloat(gradient)), 0);
  EXPECT_LT(RelativeError(ReferenceSums(s, expected), found), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Sizes, NormTest,
                         testing::Values(Case{{2000, 64}, 2}, Case{{1000, 256}, 2}, Case{{77, 24}, 3}, Case{{1, 7}, 2},
                                         Case{{33, 1}, 4}, Case{{100, 50}, 1}, Case{{65, 33}, 2}));

TEST(Activations, HandNanOnAndDeriveInfinity) {
  if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  Scratch scratch(1);
  const RowShape shape{1, 2};
  const std::vector<bf16> x = AsBf16({std::nanf(""), std::numeric_limits<float>::infinity()});
  const std::vector<bf16> dy = AsBf16({1, 1});
  for (const Act act : {Act::kNone, Act::kRelu, Act::kGelu, Act::kSilu}) {
    std::vector<bf16> y(2);
    ScaleShiftAct(shape, x.data(), nullptr, nullptr, act, y.data(), scratch);
    EXPECT_TRUE(std::isnan(ToFloat(y[0]))) << static_cast<int>(act);
  }
  std::vector<bf16> dx(2);
  ActGradient(shape, x.data(), dy.data(), nullptr, nullptr, nullptr, nullptr, Act::kRelu, dx.data(), scratch);
  EXPECT_EQ(ToFloat(dx[1]), 1);
}

TEST(Activations, FarOutValuesAreFinite) {
  if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  Scratch scratch(1);
  const std::vector<float> far = {-1e30f, -200, -30, -6, -0.0f, 0, 6, 30, 200, 1e30f};
  const RowShape shape{1, static_cast<int64_t>(far.size())};
  std::vector<bf16> y(far.size());
  for (const Act act : kActs) {
    ScaleShiftAct(shape, AsBf16(far).data(), nullptr, nullptr, act, y.data(), scratch);
    for (size_t i = 0; i < far.size(); ++i) {
      const double expected = ReferenceAct(act, ToFloat(ToBf16(far[i])));
      EXPECT_NEAR(ToFloat(y[i]), expected, 4e-3 * std::abs(expected) + (act == Act::kGelu ? 1e-5 : 1e-6)) << far[i];
    }
  }
}

}  // namespace
}  // namespace spotter::kernels
