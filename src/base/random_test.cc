// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace spotter {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers that the authors of Philox publish with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t ones = 0xffffffff;
  EXPECT_EQ(Philox({ones, ones, ones, ones}, {ones, ones}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Permutation, HoldsEachIndexOnceAndDependsOnSeedAndRound) {
  const auto a = Permutation(7, Stream::kOrder, 0, 1000);
  EXPECT_EQ(std::set<int64_t>(a.begin(), a.end()).size(), 1000u);
  EXPECT_EQ(*std::max_element(a.begin(), a.end()), 999);
  EXPECT_EQ(a, Permutation(7, Stream::kOrder, 0, 1000));
  EXPECT_NE(a, Permutation(8, Stream::kOrder, 0, 1000));
  EXPECT_NE(a, Permutation(7, Stream::kOrder, 1, 1000));
  EXPECT_NE(a, Permutation(7, Stream::kSplit, 0, 1000));
  EXPECT_TRUE(Permutation(7, Stream::kOrder, 0, 0).empty());
}

TEST(UnitFloat, StaysBelowOne) {
  EXPECT_EQ(UnitFloat(0), 0.0f);
  EXPECT_LT(UnitFloat(0xffffffff), 1.0f);
}

}  // namespace
}  // namespace spotter
