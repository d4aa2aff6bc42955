// SPDX-License-Identifier: Apache-2.0
#include "kernels/peak.h"

#include <gtest/gtest.h>

#include "kernels/cpu.h"

namespace spotter::kernels {
namespace {

void ExpectPositive(const std::vector<double>& rates, size_t slices) {
  EXPECT_EQ(rates.size(), slices);
  for (const double rate : rates) EXPECT_GT(rate, 0);
}

TEST(Peak, HasAValueASlice) {
  ExpectPositive(Fp32Rates(1, 3), 3);
  ExpectPositive(CopyRates(2, 2), 2);
}

TEST(Peak, Bf16IsMeasuredWhereTheKernelsRun) { ExpectPositive(Bf16Rates(2, 3), CpuHasAvx512Bf16() ? 3 : 0); }

}  // namespace
}  // namespace spotter::kernels
