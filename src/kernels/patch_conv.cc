// SPDX-License-Identifier: Apache-2.0
#include "kernels/patch_conv.h"

#include "kernels/cpu.h"
#include "kernels/patch_conv_kinds.h"

namespace spotter::kernels {

int64_t PatchPackedSize(const ConvShape& shape) {
  return CpuHasAmx() ? amx::PatchPackedSize(shape) : avx512::PatchPackedSize(shape);
}

void PackPatchWeights(const ConvShape& shape, const float* weights, bf16* packed) {
  const auto pack = CpuHasAmx() ? amx::PackPatchWeights : avx512::PackPatchWeights;
  pack(shape, weights, packed);
}

void PatchForward(const ConvShape& shape, const bf16* x, const bf16* packed, const float* bias, Act act, bf16* z,
                  bf16* y, Scratch& scratch) {
  const auto forward = CpuHasAmx() ? amx::PatchForward : avx512::PatchForward;
  forward(shape, x, packed, bias, act, z, y, scratch);
}

void PatchWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const bf16* y, float* dw, float* db,
                         Scratch& scratch) {
  const auto gradient = CpuHasAmx() ? amx::PatchWeightGradient : avx512::PatchWeightGradient;
  gradient(shape, x, dy, y, dw, db, scratch);
}

}  // namespace spotter::kernels
