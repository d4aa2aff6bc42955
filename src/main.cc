// SPDX-License-Identifier: Apache-2.0
#include "commands/run_program.h"

// jemalloc's settings, read by it at start (unused where it is not linked): pages once taken are kept, and large blocks
// come from the same arenas as small ones. A training step asks for the same large blocks again and again; giving them
// back costs half its time.
extern "C" {
const char* malloc_conf = "oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1";
}

int main(int argc, char** argv) { return spotter::RunProgram(argc, argv); }
