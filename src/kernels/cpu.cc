// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu.h"

#include <cstdlib>
#include <string_view>

#include "base/error.h"

#if defined(SPOTTER_AVX512)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace spotter::kernels {
namespace {

enum class Kind { kPlain, kAvx512, kAmx };

#if defined(SPOTTER_AVX512)  // the kernels were built (CMakeLists.txt)
bool HasAvx512Bf16() {
  return __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
}

bool HasAmx() {
  if (__builtin_cpu_supports("amx-tile") == 0 || __builtin_cpu_supports("amx-bf16") == 0 ||
      __builtin_cpu_supports("avx512vbmi2") == 0)
    return false;
  // Linux wants to be asked before a process uses tiles, which make its signal frames larger.
  constexpr long kAskForFeature = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;           // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kAskForFeature, kTileData) == 0;
}
#endif

/// What SPOTTER_CPU allows.
Kind Allowed() {
  const char* value = std::getenv("SPOTTER_CPU");
  const std::string_view name = value != nullptr ? value : "";
  if (name.empty()) return Kind::kAmx;
  if (name == "avx512") return Kind::kAvx512;
  if (name == "plain") return Kind::kPlain;
  Fail(ExitCode::kUsage, "SPOTTER_CPU is '{}', expected avx512 (no AMX) or plain (none of our kernels), or nothing",
       name);
}

Kind Find() {
  [[maybe_unused]] const Kind allowed = Allowed();
#if defined(SPOTTER_AVX512)
  if (allowed == Kind::kPlain || !HasAvx512Bf16()) return Kind::kPlain;
  return allowed == Kind::kAmx && HasAmx() ? Kind::kAmx : Kind::kAvx512;
#else
  return Kind::kPlain;
#endif
}

Kind ThisCpu() {
  static const Kind kind = Find();
  return kind;
}

}  // namespace

bool CpuHasAvx512Bf16() { return ThisCpu() != Kind::kPlain; }

bool CpuHasAmx() { return ThisCpu() == Kind::kAmx; }

}  // namespace spotter::kernels
