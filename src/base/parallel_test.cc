// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace spotter {
namespace {

TEST(ParallelFor, CallsEveryIndexOnce) {
  for (const int64_t n : {0, 1, 15, 16, 17, 1000}) {
    for (const int threads : {0, 1, 2, 8}) {
      std::vector<std::atomic<int>> calls(static_cast<size_t>(n));
      ParallelFor(n, threads, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
      for (const auto& count : calls) EXPECT_EQ(count, 1) << n << " items, " << threads << " threads";
    }
  }
}

TEST(ParallelFor, PassesAnExceptionOn) {
  for (const int threads : {1, 4}) {
    try {
      ParallelFor(1000, threads, [](int64_t i) {
        if (i == 500) throw std::runtime_error("at 500");
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "at 500");
    }
  }
}

TEST(ParallelFor, PassesTheLowestOfSeveral) {
  try {
    ParallelFor(16, 4, [](int64_t i) { throw std::runtime_error(std::to_string(i)); });
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "0");
  }
}

TEST(ParallelFor, HasFinishedWhenItThrows) {
  std::atomic<int> running{0};
  try {
    ParallelFor(200, 4, [&](int64_t i) {
      ++running;
      if (i == 20) {
        --running;
        throw std::runtime_error("stop");
      }
      --running;
    });
  } catch (const std::runtime_error&) {
    EXPECT_EQ(running, 0);
  }
}

TEST(AvailableCores, AreAtLeastOne) { EXPECT_GE(AvailableCores(), 1); }

}  // namespace
}  // namespace spotter
