// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu.h"

namespace spotter::kernels {

bool CpuHasAvx512Bf16() {
#if defined(SPOTTER_AVX512)  // the kernels were built (CMakeLists.txt)
  return __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
#else
  return false;
#endif
}

}  // namespace spotter::kernels
