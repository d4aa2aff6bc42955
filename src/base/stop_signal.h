// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM as a question that long work asks at its own safe points.
#pragma once

namespace spotter {

/// From now on the first SIGINT or SIGTERM only sets a flag, and a second one ends the process at once.
void CatchStopSignals();

/// Whether a signal has come since.
bool StopRequested();

/// From now on SIGHUP, which asks a service to read its files anew, only sets a flag.
void CatchReloadSignal();

/// Whether one has come since the last time that this was asked.
bool ReloadRequested();

}  // namespace spotter
