// SPDX-License-Identifier: Apache-2.0
#include "kernels/scratch.h"

namespace spotter::kernels {

Scratch::Scratch(int threads) : threads_(threads), buffers_(static_cast<size_t>(threads) * kSlots) {}

void Scratch::ReserveOf(int threads, int slot, size_t bytes) {
  for (int thread = 0; thread < threads; ++thread) {
    Buffer& buffer = buffers_[static_cast<size_t>(thread) * kSlots + static_cast<size_t>(slot)];
    if (buffer.bytes >= bytes) continue;
    buffer = {};
    buffer = {Allocate(bytes), bytes};
  }
}

}  // namespace spotter::kernels
