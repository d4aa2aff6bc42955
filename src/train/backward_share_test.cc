// SPDX-License-Identifier: Apache-2.0
#include "train/backward_share.h"

#include <gtest/gtest.h>

namespace spotter {
namespace {

using Rows = std::vector<int64_t>;

TEST(LargestRows, AreTheShareWithTheLargestNormsInOrder) {
  // Norms 5, 1, sqrt(8), 4, 0.
  const at::Tensor gradient = at::tensor({3.f, -4.f, 0.f, 1.f, 2.f, -2.f, -4.f, 0.f, 0.f, 0.f}).reshape({5, 2});
  EXPECT_EQ(LargestRows(gradient, 0.4), (Rows{0, 3}));
  EXPECT_EQ(LargestRows(gradient, 0.6), (Rows{0, 2, 3}));
  EXPECT_EQ(LargestRows(gradient, 1), (Rows{0, 1, 2, 3, 4}));
}

TEST(LargestRows, ShareIsRoundedUp) {
  const at::Tensor gradient = at::tensor({1.f, 2.f, 3.f}).reshape({3, 1});
  EXPECT_EQ(LargestRows(gradient, 0.01), (Rows{2}));
  EXPECT_EQ(LargestRows(gradient, 0.34), (Rows{1, 2}));
  EXPECT_EQ(LargestRows(at::ones({100, 1}), 0.07).size(), 7U);  // though 0.07 * 100 is a little more in double
}

TEST(LargestRows, OfEqualOnesTheFirst) { EXPECT_EQ(LargestRows(at::ones({4, 3}), 0.5), (Rows{0, 1})); }

}  // namespace
}  // namespace spotter
