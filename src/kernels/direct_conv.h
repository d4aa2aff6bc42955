// SPDX-License-Identifier: Apache-2.0
// The convolutions of conv.h, whose contracts these are, by plain products in AMX's tiles: an output pixel's sums run
// over three rows of three neighbouring pixels, which are read where they lie (direct_layout.h). Only for processors
// that CpuHasAmx() says yes to.
//
// The relative RMS error against fp64 is that of rounding the outputs to bf16, 0.0017 to 0.0024; of the weights'
// gradient, which stays fp32, none but fp32's.
#pragma once

#include "kernels/conv.h"

namespace spotter::kernels {

int64_t DirectPackedSize(int64_t sums, int64_t columns);
void PackDirectForward(const ConvShape& shape, const float* weights, bf16* packed, int threads);
void PackDirectDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads);
void DirectForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                   uint32_t* argmax, Scratch& scratch);
void DirectDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                        Scratch& scratch);
void DirectWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const uint32_t* argmax, float* dw,
                          Scratch& scratch);

}  // namespace spotter::kernels
