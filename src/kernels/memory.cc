// SPDX-License-Identifier: Apache-2.0
#include "kernels/memory.h"

#include <sys/mman.h>

#include <new>

namespace spotter::kernels {

Memory Allocate(size_t bytes) {
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
