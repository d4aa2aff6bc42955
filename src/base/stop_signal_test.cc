// SPDX-License-Identifier: Apache-2.0
#include "base/stop_signal.h"

#include <gtest/gtest.h>

#include <csignal>

#include "base/host.h"

namespace spotter {
namespace {

TEST(StopSignals, TheFirstIsAQuestion) {
  for (const int signal : {SIGINT, SIGTERM}) {
    CatchStopSignals();
    EXPECT_FALSE(StopRequested());
    std::raise(signal);
    EXPECT_TRUE(StopRequested());
    std::signal(signal, SIG_DFL);
  }
  CatchStopSignals();
  EXPECT_FALSE(StopRequested());
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

TEST(StopSignalsDeathTest, TheSecondEndsTheProcess) {
  EXPECT_EXIT(
      {
        CatchStopSignals();
        std::raise(SIGTERM);
        std::raise(SIGTERM);
      },
      testing::KilledBySignal(SIGTERM), "");
}

TEST(StopSignalsDeathTest, TheSecondEndsTheProcessWhicheverItIs) {
  EXPECT_EXIT(
      {
        CatchStopSignals();
        std::raise(SIGTERM);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(DescribeHost, NamesTheMachineAndNobody) {
  const Json host = DescribeHost();
  for (const char* key : {"cpu", "cores", "memory_bytes", "system"}) EXPECT_TRUE(host.contains(key)) << key;
  EXPECT_GE(host.at("cores").get<int>(), 1);
  EXPECT_GT(host.at("memory_bytes").get<int64_t>(), 1 << 20);
  EXPECT_NE(host.at("cpu"), "");
}

}  // namespace
}  // namespace spotter
