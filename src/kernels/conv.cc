// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv.h"

#include "kernels/cpu.h"
#include "kernels/direct_conv.h"
#include "kernels/winograd.h"

namespace spotter::kernels {

int64_t ConvPackedSize(int64_t sums, int64_t columns) {
  return CpuHasAmx() ? DirectPackedSize(sums, columns) : WinogradPackedSize(sums, columns);
}

void PackConvForward(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  const auto pack = CpuHasAmx() ? PackDirectForward : PackWinogradForward;
  pack(shape, weights, packed, threads);
}

void PackConvDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads) {
  const auto pack = CpuHasAmx() ? PackDirectDataGradient : PackWinogradDataGradient;
  pack(shape, weights, packed, threads);
}

void ConvForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                 uint32_t* argmax, Scratch& scratch) {
  const auto forward = CpuHasAmx() ? DirectForward : WinogradForward;
  forward(shape, x, packed, epilogue, y, argmax, scratch);
}

void ConvDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                      Scratch& scratch) {
  const auto gradient = CpuHasAmx() ? DirectDataGradient : WinogradDataGradient;
  gradient(shape, dy, argmax, packed, dx, scratch);
}

void ConvWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const uint32_t* argmax, float* dw,
                        Scratch& scratch) {
  const auto gradient = CpuHasAmx() ? DirectWeightGradient : WinogradWeightGradient;
  gradient(shape, x, dy, argmax, dw, scratch);
}

}  // namespace spotter::kernels
