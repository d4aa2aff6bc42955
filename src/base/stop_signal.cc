// SPDX-License-Identifier: Apache-2.0
#include "base/stop_signal.h"

#include <csignal>

namespace spotter {
namespace {

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void HandleStopSignal(int) {
  stop_requested = 1;
  std::signal(SIGINT, SIG_DFL);  // whichever comes next ends the process
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

void CatchStopSignals() {
  stop_requested = 0;
  std::signal(SIGINT, HandleStopSignal);
  std::signal(SIGTERM, HandleStopSignal);
}

bool StopRequested() { return stop_requested != 0; }

}  // namespace spotter
