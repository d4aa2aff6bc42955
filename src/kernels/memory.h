// SPDX-License-Identifier: Apache-2.0
// Memory for maps and scratch space.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace spotter::kernels {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, FreeMemory>;

/// `bytes` of memory, rounded up, aligned to 64; from 1 MiB on aligned to 2 MiB and in huge pages where the system has
/// them, since kernels read many streams at once and the table of small pages is short. Throws std::bad_alloc.
Memory Allocate(size_t bytes);

}  // namespace spotter::kernels
