// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu.h"

#if defined(SPOTTER_AVX512)
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#endif

namespace spotter::kernels {
namespace {

#if defined(SPOTTER_AVX512)  // the kernels were built (CMakeLists.txt)
bool IsLimitedTo(const char* instructions) {
  const char* limit = std::getenv("SPOTTER_CPU");
  return limit != nullptr && std::strcmp(limit, instructions) == 0;
}

bool HasAvx512Bf16() {
  return __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
}

bool HasAmx() {
  if (!__builtin_cpu_supports("amx-bf16") || !__builtin_cpu_supports("amx-tile") ||
      !__builtin_cpu_supports("avx512vbmi2"))
    return false;
  // Linux wants to be asked before a process uses tiles, which make its signal frames larger.
  constexpr long kAskForFeature = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;           // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kAskForFeature, kTileData) == 0;
}
#endif

}  // namespace

bool CpuHasAvx512Bf16() {
#if defined(SPOTTER_AVX512)
  static const bool has = HasAvx512Bf16() && !IsLimitedTo("plain");
  return has;
#else
  return false;
#endif
}

bool CpuHasAmx() {
#if defined(SPOTTER_AVX512)
  static const bool has = CpuHasAvx512Bf16() && !IsLimitedTo("avx512") && HasAmx();
  return has;
#else
  return false;
#endif
}

}  // namespace spotter::kernels
