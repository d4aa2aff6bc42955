// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace spotter {

/// The whole program: parses the command line, runs the command, turns every exception into one line on
/// stderr. Returns the exit code (base/error.h).
int RunProgram(int argc, char** argv);

}  // namespace spotter
