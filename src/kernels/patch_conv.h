// SPDX-License-Identifier: Apache-2.0
// Convolutions of few input channels, such as the first of a network: each output is a short product of its patch.
// bf16 with fp32 sums; any kernel, padding, number of channels and threads; no pool; for processors that
// CpuHasAvx512Bf16() says yes to. Maps and weights as conv.h has them. Products are made in AMX's tiles where there are
// any (cpu.h), and else in AVX-512 bf16.
#pragma once

#include <cstdint>

#include "kernels/act.h"
#include "kernels/bf16.h"
#include "kernels/conv_shape.h"
#include "kernels/scratch.h"

namespace spotter::kernels {

/// Values of the packed weights.
int64_t PatchPackedSize(const ConvShape& shape);
void PackPatchWeights(const ConvShape& shape, const float* weights, bf16* packed);

/// z = x * weights + bias, y = act(z). bias (out) may be null; z may be null when it isn't wanted.
void PatchForward(const ConvShape& shape, const bf16* x, const bf16* packed, const float* bias, Act act, bf16* z,
                  bf16* y, Scratch& scratch);

/// x and dy (images, conv_height, conv_width, out) -> dw (out, kernel, kernel, in) fp32 and, unless it is null, the
/// bias's gradient db (out). With y, the output of ReLU, dy counts where y is positive. The sums' order depends on the
/// number of threads, on nothing else.
void PatchWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const bf16* y, float* dw, float* db,
                         Scratch& scratch);

}  // namespace spotter::kernels
