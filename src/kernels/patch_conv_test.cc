// SPDX-License-Identifier: Apache-2.0
#include "kernels/patch_conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu.h"
#include "kernels/reference.h"
#include "kernels/test_values.h"

namespace spotter::kernels {
namespace {

constexpr double kBound = 4e-3;  // bf16's rounding of the output

class PatchConvTest : public testing::TestWithParam<ConvShape> {
 protected:
  void SetUp() override {
    if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
    FillWithNan(scratch);
  }
  const ConvShape& s = GetParam();
  std::vector<float> x = RandomValues(s.in_size(), 1);
  std::vector<float> weights = RandomValues(s.weight_size(), 2, 0.3f);
  std::vector<float> bias = RandomValues(s.out, 3);
  Scratch scratch{3};
};

TEST_P(PatchConvTest, Forward) {
  std::vector<bf16> packed(static_cast<size_t>(PatchPackedSize(s)));
  PackPatchWeights(s, weights.data(), packed.data());
  std::vector<bf16> y(static_cast<size_t>(s.out_size()));
  std::vector<bf16> z(y.size());
  const std::vector<double> expected = ReferenceConv(s, x, weights, bias);
  PatchForward(s, AsBf16(x).data(), packed.data(), bias.data(), Act::kRelu, z.data(), y.data(), scratch);
  ExpectNear(expected, AsFloat(z), kBound);
  std::vector<double> relu = expected;
  for (double& value : relu) value = std::max(value, 0.0);
  ExpectNear(relu, AsFloat(y), kBound);
  PatchForward(s, AsBf16(x).data(), packed.data(), bias.data(), Act::kGelu, nullptr, y.data(), scratch);
  std::vector<double> gelu = expected;
  for (double& value : gelu) value *= 0.5 * std::erfc(-value / std::sqrt(2.0));
  ExpectNear(gelu, AsFloat(y), kBound);
  PatchForward(s, AsBf16(x).data(), packed.data(), nullptr, Act::kNone, nullptr, y.data(), scratch);
  ExpectNear(ReferenceConv(s, x, weights, {}), AsFloat(y), kBound);
}

TEST_P(PatchConvTest, WeightGradient) {
  const std::vector<float> y = RandomValues(s.out_size(), 5);  // half of it below 0, as ReLU's is 0
  const std::vector<float> dy = RandomValues(s.out_size(), 4);
  for (const bool relu : {false, true}) {
    std::vector<float> dz = dy;
    std::vector<bf16> output = AsBf16(y);
    std::vector<double> expected_db(static_cast<size_t>(s.out));
    for (size_t i = 0; i < dz.size(); ++i) {
      if (y[i] <= 0) output[i] = i % 2 == 0 ? bf16{0} : ToBf16(-0.0f);
      if (relu && y[i] <= 0) dz[i] = 0;
      expected_db[i % expected_db.size()] += dz[i];
    }
    std::vector<float> dw(static_cast<size_t>(s.weight_size()), NAN), db(expected_db.size(), NAN);
    PatchWeightGradient(s, AsBf16(x).data(), AsBf16(dy).data(), relu ? output.data() : nullptr, dw.data(), db.data(),
                        scratch);
    ExpectNear(ReferenceWeightGradient(s, x, dz), dw, 1e-5);  // inputs are exact, sums are fp32
    ExpectNear(expected_db, db, 1e-5);
  }
}

ConvShape Shape(int64_t n, int64_t h, int64_t w, int64_t in, int64_t out, int64_t kernel, int64_t pad) {
  return {.images = n, .height = h, .width = w, .in = in, .out = out, .kernel = kernel, .pad = pad};
}

INSTANTIATE_TEST_SUITE_P(Sizes, PatchConvTest,
                         testing::Values(Shape(3, 32, 32, 3, 24, 2, 0), Shape(2, 32, 32, 3, 64, 3, 1),
                                         Shape(2, 28, 28, 1, 32, 3, 0), Shape(2, 17, 9, 3, 100, 5, 2),
                                         Shape(1, 3, 3, 3, 7, 3, 0), Shape(1, 1, 1, 1, 1, 7, 3),
                                         Shape(2, 12, 12, 4, 33, 7, 3), Shape(1, 8, 5, 2, 64, 1, 0)));

}  // namespace
}  // namespace spotter::kernels
