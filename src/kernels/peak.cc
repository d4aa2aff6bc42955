// SPDX-License-Identifier: Apache-2.0
#include "kernels/peak.h"

#include <omp.h>

#include <cstring>

#include "base/stopwatch.h"
#include "kernels/cpu.h"
#include "kernels/memory.h"

namespace spotter::kernels {
namespace {

/// Operations done by kSums independent sums of kLanes fp32 each; inlined into functions for different processors.
template <int kLanes, int kSums>
inline __attribute__((always_inline)) double Multiply() {
  typedef float Vector __attribute__((vector_size(4 * kLanes)));
  constexpr int kTimes = 2000;
  static const volatile float almost_one = 0.999f;  // volatile: the compiler must not know
  const Vector a = Vector{} + almost_one;
  const Vector b = Vector{} + (1 - almost_one);
  Vector sum[kSums];
#pragma GCC unroll 24
  for (int i = 0; i < kSums; ++i) sum[i] = Vector{} + static_cast<float>(i);
  for (int time = 0; time < kTimes; ++time) {
#pragma GCC unroll 24
    for (int i = 0; i < kSums; ++i) sum[i] = sum[i] * a + b;
  }
  volatile float kept = 0;
  for (int i = 0; i < kSums; ++i) kept = kept + sum[i][0];
  return 2.0 * kTimes * kSums * kLanes;
}

double PlainBurst() { return Multiply<4, 12>(); }
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) double Avx2Burst() { return Multiply<8, 12>(); }
__attribute__((target("avx512f"))) double Avx512Burst() { return Multiply<16, 24>(); }
#endif

using Burst = double (*)();

Burst Fp32Burst() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0) return Avx512Burst;
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) return Avx2Burst;
#endif
  return PlainBurst;
}

/// Bursts on all threads at once, slice by slice.
std::vector<double> Rates(int threads, int slices, Burst burst) {
  constexpr double kSlice = 0.01;
  std::vector<double> rates;
  for (int slice = -1; slice < slices; ++slice) {  // one to wake the threads and the processor's clock
    double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
    {
#pragma omp barrier
      const Stopwatch watch;
      double operations = 0;
      double seconds = 0;
      while (seconds < kSlice) {
        operations += burst();
        seconds = watch.Seconds();
      }
      rate += operations / seconds;
    }
    if (slice >= 0) rates.push_back(rate);
  }
  return rates;
}

}  // namespace

std::vector<double> Bf16Rates(int threads, int slices) {
  if (!CpuHasAvx512Bf16()) return {};
  return Rates(threads, slices, CpuHasAmx() ? AmxBurst : Avx512Bf16Burst);
}

std::vector<double> Fp32Rates(int threads, int slices) { return Rates(threads, slices, Fp32Burst()); }

std::vector<double> CopyRates(int threads, int slices) {
  constexpr size_t kBytes = size_t{128} << 20;
  const Memory from = Allocate(kBytes);
  const Memory to = Allocate(kBytes);
  std::vector<double> rates;
  for (int slice = -1; slice < slices; ++slice) {  // the first makes the system give the pages
    const Stopwatch watch;
#pragma omp parallel num_threads(threads)
    {
      const auto part = static_cast<size_t>(omp_get_thread_num());
      const auto parts = static_cast<size_t>(omp_get_num_threads());
      const size_t first = kBytes / parts * part;
      const size_t bytes = part + 1 == parts ? kBytes - first : kBytes / parts;
      if (slice < 0) std::memset(static_cast<char*>(from.get()) + first, 1, bytes);
      std::memcpy(static_cast<char*>(to.get()) + first, static_cast<const char*>(from.get()) + first, bytes);
    }
    if (slice >= 0) rates.push_back(2.0 * kBytes / watch.Seconds());
  }
  return rates;
}

}  // namespace spotter::kernels
