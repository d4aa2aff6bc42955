// SPDX-License-Identifier: Apache-2.0
#include "base/stop_signal.h"

#include <csignal>

namespace spotter {
namespace {

volatile std::sig_atomic_t stop_requested = 0;
volatile std::sig_atomic_t reload_requested = 0;

extern "C" void HandleStopSignal(int) {
  stop_requested = 1;
  std::signal(SIGINT, SIG_DFL);  // whichever comes next ends the process
  std::signal(SIGTERM, SIG_DFL);
}

extern "C" void HandleReloadSignal(int) { reload_requested = 1; }

}  // namespace

void CatchStopSignals() {
  stop_requested = 0;
  std::signal(SIGINT, HandleStopSignal);
  std::signal(SIGTERM, HandleStopSignal);
}

bool StopRequested() { return stop_requested != 0; }

void CatchReloadSignal() { std::signal(SIGHUP, HandleReloadSignal); }

bool ReloadRequested() {
  const bool requested = reload_requested != 0;
  reload_requested = 0;
  return requested;
}

}  // namespace spotter
