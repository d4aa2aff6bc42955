// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
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

TEST(ParallelFor, SharesAFewLargeItems) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> waiting{0};
  ParallelFor(2, 2, [&](int64_t) {
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    // The first waits for the second, a while: both would have one thread if they came as one piece.
    ++waiting;
    for (int i = 0; i < 2000 && waiting < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  EXPECT_EQ(threads.size(), 2u);
}

// A limit on memory leaves no room for the stacks of 64 threads. In a child: limits can't be raised again.
TEST(ParallelFor, DoesWithTheThreadsThatItGets) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers need their own memory";
#endif
  const pid_t child = ::fork();
  if (child == 0) {
    int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE)) + (rlim_t{12} << 20);
    const rlimit limit{most, most};
    if (pages == 0 || ::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(10);
    std::atomic<int> calls{0};
    ParallelFor(1000, 64, [&](int64_t) { ++calls; });
    ::_exit(calls == 1000 ? 0 : 11);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(AvailableCores, AreAtLeastOne) { EXPECT_GE(AvailableCores(), 1); }

}  // namespace
}  // namespace spotter
