// SPDX-License-Identifier: Apache-2.0
#include "kernels/add.h"

#include <gtest/gtest.h>

#include "kernels/cpu.h"
#include "kernels/test_values.h"

namespace spotter::kernels {
namespace {

TEST(AddMaps, IsTheSumRoundedOnce) {
  if (!CpuHasAvx512Bf16()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  for (const int64_t values : {1, 31, 32, 33, 4096, 100'003}) {
    const std::vector<float> a = RandomValues(values, 1), b = RandomValues(values, 2, 100);
    std::vector<bf16> expected;
    for (size_t i = 0; i < a.size(); ++i) expected.push_back(ToBf16(a[i] + b[i]));
    std::vector<bf16> y(a.size() + 1, 0x7fc1);
    AddMaps(values, AsBf16(a).data(), AsBf16(b).data(), y.data(), 3);
    EXPECT_EQ(y.back(), 0x7fc1) << values;
    y.pop_back();
    EXPECT_EQ(y, expected) << values;
    std::vector<bf16> in_place = AsBf16(a);
    AddMaps(values, in_place.data(), AsBf16(b).data(), in_place.data(), 2);
    EXPECT_EQ(in_place, expected) << values;
  }
}

}  // namespace
}  // namespace spotter::kernels
