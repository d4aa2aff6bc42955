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
  EXPECT_EQ(WeightParts(5, 1000, 64), 51);  // 255 tasks in four rounds; 52 parts would take five
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
      const int64_t rounds = (tasks + threads - 1) / threads;
      EXPECT_GE(static_cast<double>(tasks), 0.8 * static_cast<double>(rounds * threads)) << "most are idle";
    }
  }
}

}  // namespace
}  // namespace spotter::kernels
