// SPDX-License-Identifier: Apache-2.0
#include "base/allocator.h"

#include <sys/types.h>

#include <cstddef>
#include <initializer_list>

/// jemalloc's, where it is linked.
extern "C" int mallctl(const char* name, void* old_value, size_t* old_size, void* new_value, size_t new_size)
    __attribute__((weak));

namespace spotter {

void ReturnUnusedMemory() {
  if (mallctl == nullptr) return;
  ssize_t milliseconds = 3000;
  // 4096 stands for all arenas that there are (MALLCTL_ARENAS_ALL); "arenas" for those to come.
  for (const char* name :
       {"arenas.dirty_decay_ms", "arenas.muzzy_decay_ms", "arena.4096.dirty_decay_ms", "arena.4096.muzzy_decay_ms"})
    mallctl(name, nullptr, nullptr, &milliseconds, sizeof milliseconds);
  bool on = true;  // a thread that gives back what idle threads have left
  mallctl("background_thread", nullptr, nullptr, &on, sizeof on);
}

}  // namespace spotter
