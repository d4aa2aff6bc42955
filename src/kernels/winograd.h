// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions with stride 1 by Winograd's F(4x4, 3x3), in bf16 with fp32 sums: 4 times fewer products than the
// plain algorithm. Forward with bias, ReLU and 2x2 max pool in the output transform (a tile is four pooling windows),
// data gradient, weight gradient. The plain references are in reference.h.
//
// Maps are (N, H, W, C) bf16, weights (out, 3, 3, in) fp32. Any sizes, any number of channels and threads. The relative
// RMS error against fp64 is 0.002 to 0.012 (docs/speed.md), up to five times that of direct bf16 products. Only for
// processors that CpuHasAvx512Bf16() says yes to. What a call needs beside its arguments lies in `scratch`.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/conv_shape.h"
#include "kernels/scratch.h"

namespace spotter::kernels {

/// Values of the weights as the kernels want them: `sums` input channels, `columns` output channels.
int64_t WinogradPackedSize(int64_t sums, int64_t columns);

/// Transformed weights for WinogradForward. packed: WinogradPackedSize(in, out) values.
void PackWinogradForward(const ConvShape& shape, const float* weights, bf16* packed, int threads);

/// Transformed weights for WinogradDataGradient. packed: WinogradPackedSize(out, in) values.
void PackWinogradDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads);

/// What is done to the outputs on their way to memory.
struct ConvEpilogue {
  const float* bias = nullptr;  // (out), added
  bool relu = false;            // then max(0, .)
};

/// x (images, height, width, in) -> y (images, out_height, out_width, out). `argmax` (ArgmaxWords words) is written
/// where the shape has a pool and it isn't null.
void WinogradForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                     uint32_t* argmax, Scratch& scratch);

/// dy, the gradient of the (pooled) output before bias and ReLU -> dx (images, height, width, in). argmax: what
/// WinogradForward wrote; here and below null where the shape has no pool.
void WinogradDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                          Scratch& scratch);

/// x and dy -> dw (out, 3, 3, in) fp32. The sum's order depends on the number of threads, on nothing else.
void WinogradWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const uint32_t* argmax, float* dw,
                            Scratch& scratch);

}  // namespace spotter::kernels
