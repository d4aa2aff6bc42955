// SPDX-License-Identifier: Apache-2.0
// The convolutions of conv.h, whose contracts these are, by Winograd's F(4x4, 3x3) in AVX-512 bf16: 4 times fewer
// products than the plain algorithm. The pool is in the output transform: a tile is four pooling windows.
//
// The relative RMS error against fp64 is 0.002 to 0.012 (docs/speed.md), up to five times that of plain bf16 products.
#pragma once

#include "kernels/conv.h"

namespace spotter::kernels {

int64_t WinogradPackedSize(int64_t sums, int64_t columns);
void PackWinogradForward(const ConvShape& shape, const float* weights, bf16* packed, int threads);
void PackWinogradDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads);
void WinogradForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                     uint32_t* argmax, Scratch& scratch);
void WinogradDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                          Scratch& scratch);
void WinogradWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const uint32_t* argmax, float* dw,
                            Scratch& scratch);

}  // namespace spotter::kernels
