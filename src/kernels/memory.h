// SPDX-License-Identifier: Apache-2.0
// Memory for maps and scratch space.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace spotter::kernels {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, FreeMemory>;

/// `bytes` of memory, rounded up, aligned to 64; from 1 MiB on aligned to 2 MiB and in huge pages where the system has
/// them, since kernels read many streams at once and the table of small pages is short. Throws std::bad_alloc.
inline Memory Allocate(size_t bytes) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const bool huge = bytes >= kHugePage / 2;
  const size_t alignment = huge ? kHugePage : 64;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  Memory memory(std::aligned_alloc(alignment, rounded));
  if (!memory) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (huge) ::madvise(memory.get(), rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace spotter::kernels
