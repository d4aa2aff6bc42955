// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace spotter {

/// From now on memory that nobody has used for a few seconds goes back to the system. Training keeps it (src/main.cc),
/// since it asks for the same blocks again at once; a service would keep for ever what its largest request has taken.
/// Does nothing where jemalloc is not linked.
void ReturnUnusedMemory();

}  // namespace spotter
