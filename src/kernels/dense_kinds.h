// SPDX-License-Identifier: Apache-2.0
// The two kinds of dense.h's products, whose contracts these are: in AVX-512 bf16, and in AMX's tiles. They differ in
// the order of the halved weights, and by rounding in what they answer.
#pragma once

#include "kernels/dense.h"
#include "kernels/panels.h"

namespace spotter::kernels {

namespace avx512 {

constexpr int64_t kDenseFew = 4;

/// Rows as they are, padded to an even length with 0.
inline int64_t DenseHalfSize(const DenseShape& s) { return s.out * RoundUp(s.in, 2); }
void HalveDenseWeights(const DenseShape& shape, const float* weights, bf16* half, int threads);
void DenseForward(const DenseShape& shape, const bf16* x, const bf16* half, const float* bias, bool relu, bf16* y,
                  Scratch& scratch);
int64_t DenseTurnedSize(const DenseShape& shape);
void TurnDenseWeights(const DenseShape& shape, const bf16* half, bf16* turned, int threads);
void DenseForwardOfFew(const DenseShape& shape, const bf16* x, const bf16* turned, const float* bias, bool relu,
                       bf16* y, Scratch& scratch);
void DenseDataGradient(const DenseShape& shape, const bf16* dy, const bf16* half, bf16* dx, Scratch& scratch);
void DenseWeightGradient(const DenseShape& shape, const bf16* x, const bf16* dy, float* dw, Scratch& scratch);

}  // namespace avx512

namespace amx {

/// [16 rows][32 columns][row][column]: tiles as they are multiplied, zeros beyond the last row and column, and an even
/// number of them from top to bottom.
inline int64_t DenseHalfSize(const DenseShape& s) { return RoundUp(s.out, 32) * RoundUp(s.in, 32); }
void HalveDenseWeights(const DenseShape& shape, const float* weights, bf16* half, int threads);
void DenseForward(const DenseShape& shape, const bf16* x, const bf16* half, const float* bias, bool relu, bf16* y,
                  Scratch& scratch);
void DenseDataGradient(const DenseShape& shape, const bf16* dy, const bf16* half, bf16* dx, Scratch& scratch);
void DenseWeightGradient(const DenseShape& shape, const bf16* x, const bf16* dy, float* dw, Scratch& scratch);

}  // namespace amx

}  // namespace spotter::kernels
