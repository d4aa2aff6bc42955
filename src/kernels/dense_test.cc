// SPDX-License-Identifier: Apache-2.0
#include "kernels/dense.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu.h"
#include "kernels/reference.h"
#include "kernels/test_values.h"

namespace spotter::kernels {
namespace {

constexpr double kRounding = 4e-3;  // bf16's, of the output

class DenseTest : public testing::TestWithParam<DenseShape> {
 protected:
  void SetUp() override {
    if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
    FillWithNan(scratch);
    half.resize(static_cast<size_t>(DenseHalfSize(s)), 0x7fc1);
    HalveDenseWeights(s, weights.data(), half.data(), 2);
    weights = Rounded(weights);
  }
  static std::vector<float> Rounded(std::vector<float> values) {
    for (float& value : values) value = ToFloat(ToBf16(value));
    return values;
  }
  const DenseShape& s = GetParam();
  std::vector<float> x = RandomValues(s.images * s.in, 1);
  std::vector<float> weights = RandomValues(s.out * s.in, 2, 0.1f);
  std::vector<float> dy = RandomValues(s.images * s.out, 3);
  std::vector<float> bias = RandomValues(s.out, 4);
  std::vector<bf16> half;
  Scratch scratch{3};
};

TEST_P(DenseTest, Forward) {
  const std::vector<double> z = ReferenceDense(s, x, weights, bias);
  std::vector<bf16> y(z.size(), 0x7fc1);
  DenseForward(s, AsBf16(x).data(), half.data(), bias.data(), false, y.data(), scratch);
  ExpectNear(z, AsFloat(y), kRounding);
  std::vector<double> relu = z;
  for (double& value : relu) value = std::max(value, 0.0);
  DenseForward(s, AsBf16(x).data(), half.data(), bias.data(), true, y.data(), scratch);
  ExpectNear(relu, AsFloat(y), kRounding);
  DenseForward(s, AsBf16(x).data(), half.data(), nullptr, false, y.data(), scratch);
  ExpectNear(ReferenceDense(s, x, weights, {}), AsFloat(y), kRounding);
}

/// By whichever of the two takes so many images.
void ForwardOfAny(const DenseShape& s, const bf16* x, const bf16* half, const float* bias, bf16* y, Scratch& scratch) {
  if (s.images > DenseFew()) return DenseForward(s, x, half, bias, true, y, scratch);
  std::vector<bf16> turned(static_cast<size_t>(DenseTurnedSize(s)), 0x7fc1);
  TurnDenseWeights(s, half, turned.data(), 2);
  DenseForwardOfFew(s, x, turned.data(), bias, true, y, scratch);
}

/// An answer of the service must not depend on the images that are computed with it.
TEST_P(DenseTest, ForwardOfAnImageIsTheSameAmongOthers) {
  const std::vector<bf16> input = AsBf16(x);
  std::vector<bf16> all(static_cast<size_t>(s.images * s.out));
  DenseForward(s, input.data(), half.data(), bias.data(), true, all.data(), scratch);
  for (const int64_t at_once : {1, 2, 3, 4, 5, 17, 40}) {
    std::vector<bf16> some(all.size());
    for (int64_t first = 0; first < s.images; first += at_once) {
      const DenseShape part{std::min(at_once, s.images - first), s.in, s.out};
      ForwardOfAny(part, input.data() + first * s.in, half.data(), bias.data(), some.data() + first * s.out, scratch);
    }
    EXPECT_EQ(some, all) << at_once << " at once";
  }
}

TEST_P(DenseTest, DataGradient) {
  const std::vector<double> expected = ReferenceDenseDataGradient(s, dy, weights);
  std::vector<bf16> dx(expected.size(), 0x7fc1);
  DenseDataGradient(s, AsBf16(dy).data(), half.data(), dx.data(), scratch);
  ExpectNear(expected, AsFloat(dx), kRounding);
}

TEST_P(DenseTest, WeightGradient) {
  const std::vector<double> expected = ReferenceDenseWeightGradient(s, x, dy);
  std::vector<float> dw(expected.size(), NAN);
  DenseWeightGradient(s, AsBf16(x).data(), AsBf16(dy).data(), dw.data(), scratch);
  ExpectNear(expected, dw, 1e-5);  // inputs are exact, sums are fp32
}

INSTANTIATE_TEST_SUITE_P(Sizes, DenseTest,
                         testing::Values(DenseShape{64, 640, 128}, DenseShape{64, 7200, 20}, DenseShape{130, 65, 10},
                                         DenseShape{1, 300, 33}, DenseShape{3, 1, 1}, DenseShape{65, 257, 101},
                                         DenseShape{7, 64, 3}, DenseShape{20, 33, 70}, DenseShape{40, 100, 30},
                                         DenseShape{20, 300, 40}, DenseShape{16, 300, 24}));

}  // namespace
}  // namespace spotter::kernels
