// SPDX-License-Identifier: Apache-2.0
// Dense layers: products of matrices whose weights are read once a step, so that what counts is how often they pass
// through memory. bf16 with fp32 sums; the weights' gradient is fp32, not rounded on its way. Any sizes and number of
// threads; for processors that CpuHasAvx512Bf16() says yes to. Products are made in AMX's tiles where there are any
// (cpu.h), and else in AVX-512 bf16.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/scratch.h"

namespace spotter::kernels {

/// x (images, in), weights (out, in), y (images, out), all row by row.
struct DenseShape {
  int64_t images = 0;
  int64_t in = 0;
  int64_t out = 0;
};

/// The weights in bf16, in the order that the products take.
int64_t DenseHalfSize(const DenseShape& shape);
void HalveDenseWeights(const DenseShape& shape, const float* weights, bf16* half, int threads);

/// y = x * weights^T + bias, and ReLU of it when `relu`; bias (out) may be null.
void DenseForward(const DenseShape& shape, const bf16* x, const bf16* half, const float* bias, bool relu, bf16* y,
                  Scratch& scratch);

/// The same for at most DenseFew() images, to the last bit: a panel of so few would be mostly empty. The weights are
/// turned over for it, once for many calls. DenseFew() is 0 where tiles make it needless: these are not to be called
/// there.
int64_t DenseFew();
int64_t DenseTurnedSize(const DenseShape& shape);
void TurnDenseWeights(const DenseShape& shape, const bf16* half, bf16* turned, int threads);
void DenseForwardOfFew(const DenseShape& shape, const bf16* x, const bf16* turned, const float* bias, bool relu,
                       bf16* y, Scratch& scratch);

/// dx = dy * weights.
void DenseDataGradient(const DenseShape& shape, const bf16* dy, const bf16* half, bf16* dx, Scratch& scratch);

/// dw (out, in) fp32 = dy^T * x.
void DenseWeightGradient(const DenseShape& shape, const bf16* x, const bf16* dy, float* dw, Scratch& scratch);

}  // namespace spotter::kernels
