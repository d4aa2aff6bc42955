// SPDX-License-Identifier: Apache-2.0
// The most that this machine does, measured: multiply-adds that wait for no memory, and memory without arithmetic.
// What kernels reach is told as a share of it.
#pragma once

#include <vector>

namespace spotter::kernels {

/// Floating-point operations a second, two a multiply-add, of all `threads` together; one value for each of `slices`
/// slices of 10 ms. Products of bf16 with fp32 sums; empty unless CpuHasAvx512Bf16().
std::vector<double> Bf16Rates(int threads, int slices);

/// The same in fp32, by the widest multiply-add that the processor has of AVX-512, AVX2 and what the compiler takes for
/// granted (NEON on ARM; on x86-64 without AVX2 products and sums apart).
std::vector<double> Fp32Rates(int threads, int slices);

/// Bytes read and written a second by copying 128 MiB, which few caches hold. Throws std::bad_alloc.
std::vector<double> CopyRates(int threads, int slices);

/// Operations done in some 10 to 40 microseconds of bf16 products on this thread (peak_avx512.cc, peak_amx.cc).
double Avx512Bf16Burst();
double AmxBurst();

}  // namespace spotter::kernels
