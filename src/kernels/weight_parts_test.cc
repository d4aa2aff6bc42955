// SPDX-License-Identifier: Apache-2.0
#include "kernels/weight_parts.h"

#include <gtest/gtest.h>

namespace spotter::kernels {
namespace {

TEST(WeightParts, GiveEveryThreadAsManyTasks) {
  EXPECT_EQ(WeightParts(1, 1000, 2), 2);
  EXPECT_EQ(WeightParts(2, 1000, 2), 1);
  EXPECT_EQ(WeightParts(3, 1000, 2), 2);
  EXPECT_EQ(WeightParts(6, 1000, 8), 4);
}

TEST(WeightParts, AreNoMoreThanTheWork) {
  EXPECT_EQ(WeightParts(1, 3, 64), 3);
  EXPECT_EQ(WeightParts(1, 0, 64), 1);
}

// Each task's sums are as large as the second cache: 31 * 64 of them would be gigabytes.
TEST(WeightParts, TakeFewTasksAThread) {
  for (int64_t blocks = 1; blocks <= 64; ++blocks) {
    for (int64_t threads = 1; threads <= 256; ++threads) {
      const int64_t tasks = blocks * WeightParts(blocks, 100'000, threads);
      EXPECT_LT(tasks, 4 * threads + blocks);
      EXPECT_GE(tasks, threads);  // none is idle
    }
  }
}

}  // namespace
}  // namespace spotter::kernels
