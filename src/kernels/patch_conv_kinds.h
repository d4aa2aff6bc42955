// SPDX-License-Identifier: Apache-2.0
// The two kinds of patch_conv.h's products, whose contracts these are: in AVX-512 bf16, and in AMX's tiles. They differ
// in the order of the packed weights, and by rounding in what they answer.
#pragma once

#include "kernels/patch_conv.h"

namespace spotter::kernels {

namespace avx512 {
int64_t PatchPackedSize(const ConvShape& shape);
void PackPatchWeights(const ConvShape& shape, const float* weights, bf16* packed);
void PatchForward(const ConvShape& shape, const bf16* x, const bf16* packed, const float* bias, Act act, bf16* z,
                  bf16* y, Scratch& scratch);
void PatchWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const bf16* y, float* dw, float* db,
                         Scratch& scratch);
}  // namespace avx512

namespace amx {
int64_t PatchPackedSize(const ConvShape& shape);
void PackPatchWeights(const ConvShape& shape, const float* weights, bf16* packed);
void PatchForward(const ConvShape& shape, const bf16* x, const bf16* packed, const float* bias, Act act, bf16* z,
                  bf16* y, Scratch& scratch);
void PatchWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const bf16* y, float* dw, float* db,
                         Scratch& scratch);
}  // namespace amx

}  // namespace spotter::kernels
