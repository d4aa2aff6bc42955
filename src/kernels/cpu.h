// SPDX-License-Identifier: Apache-2.0
// What this processor can do. SPOTTER_CPU in the environment makes it less, for tests and comparisons: "avx512" leaves
// AMX out, "plain" all of our kernels. Any other value is an Error(kUsage) of each call.
#pragma once

namespace spotter::kernels {

/// Whether the AVX-512 bf16 kernels run here: the program has them, and the processor what they need.
bool CpuHasAvx512Bf16();

/// Whether the AMX kernels run here as well: the processor has bf16 tiles, and the system lets this process use them.
bool CpuHasAmx();

}  // namespace spotter::kernels
