// SPDX-License-Identifier: Apache-2.0
#include "kernels/dense.h"

#include "kernels/cpu.h"
#include "kernels/dense_kinds.h"

namespace spotter::kernels {

int64_t DenseHalfSize(const DenseShape& shape) {
  return CpuHasAmx() ? amx::DenseHalfSize(shape) : avx512::DenseHalfSize(shape);
}

void HalveDenseWeights(const DenseShape& shape, const float* weights, bf16* half, int threads) {
  const auto halve = CpuHasAmx() ? amx::HalveDenseWeights : avx512::HalveDenseWeights;
  halve(shape, weights, half, threads);
}

void DenseForward(const DenseShape& shape, const bf16* x, const bf16* half, const float* bias, bool relu, bf16* y,
                  Scratch& scratch) {
  const auto forward = CpuHasAmx() ? amx::DenseForward : avx512::DenseForward;
  forward(shape, x, half, bias, relu, y, scratch);
}

int64_t DenseFew() { return CpuHasAmx() ? 0 : avx512::kDenseFew; }

int64_t DenseTurnedSize(const DenseShape& shape) { return avx512::DenseTurnedSize(shape); }

void TurnDenseWeights(const DenseShape& shape, const bf16* half, bf16* turned, int threads) {
  avx512::TurnDenseWeights(shape, half, turned, threads);
}

void DenseForwardOfFew(const DenseShape& shape, const bf16* x, const bf16* turned, const float* bias, bool relu,
                       bf16* y, Scratch& scratch) {
  avx512::DenseForwardOfFew(shape, x, turned, bias, relu, y, scratch);
}

void DenseDataGradient(const DenseShape& shape, const bf16* dy, const bf16* half, bf16* dx, Scratch& scratch) {
  const auto gradient = CpuHasAmx() ? amx::DenseDataGradient : avx512::DenseDataGradient;
  gradient(shape, dy, half, dx, scratch);
}

void DenseWeightGradient(const DenseShape& shape, const bf16* x, const bf16* dy, float* dw, Scratch& scratch) {
  const auto gradient = CpuHasAmx() ? amx::DenseWeightGradient : avx512::DenseWeightGradient;
  gradient(shape, x, dy, dw, scratch);
}

}  // namespace spotter::kernels
