// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions with stride 1, in bf16 with fp32 sums: forward with bias, ReLU and 2x2 max pool on the outputs' way
// to memory, data gradient, weight gradient. Two algorithms, chosen by what the processor has (cpu.h): plain
// products in AMX's tiles (direct_conv.h), and Winograd's F(4x4, 3x3) in AVX-512 bf16 (winograd.h). The plain
// references are in reference.h.
//
// Maps are (N, H, W, C) bf16, weights (out, 3, 3, in) fp32. Any sizes, any number of channels and threads. Only for
// processors that CpuHasAvx512Bf16() says yes to. What a call needs beside its arguments lies in `scratch`. An image's
// results do not depend on those beside it, to the last bit. Values are finite: what isn't there is multiplied by 0, so
// that a NaN may reach results that do not read it.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/conv_shape.h"
#include "kernels/scratch.h"

namespace spotter::kernels {

/// Values of the weights as the kernels want them: `sums` channels that are added over, `columns` that come out.
int64_t ConvPackedSize(int64_t sums, int64_t columns);

/// The weights as ConvForward wants them. packed: ConvPackedSize(in, out) values.
void PackConvForward(const ConvShape& shape, const float* weights, bf16* packed, int threads);

/// The weights as ConvDataGradient wants them. packed: ConvPackedSize(out, in) values.
void PackConvDataGradient(const ConvShape& shape, const float* weights, bf16* packed, int threads);

/// What is done to the outputs on their way to memory.
struct ConvEpilogue {
  const float* bias = nullptr;  // (out), added
  bool relu = false;            // then max(0, .)
};

/// x (images, height, width, in) -> y (images, out_height, out_width, out). `argmax` (ArgmaxWords words) is written
/// where the shape has a pool and it isn't null.
void ConvForward(const ConvShape& shape, const bf16* x, const bf16* packed, const ConvEpilogue& epilogue, bf16* y,
                 uint32_t* argmax, Scratch& scratch);

/// dy, the gradient of the (pooled) output before bias and ReLU -> dx (images, height, width, in). argmax: what
/// ConvForward wrote; here and below null where the shape has no pool.
void ConvDataGradient(const ConvShape& shape, const bf16* dy, const uint32_t* argmax, const bf16* packed, bf16* dx,
                      Scratch& scratch);

/// x and dy -> dw (out, 3, 3, in) fp32. The sum's order depends on the number of threads, on nothing else.
void ConvWeightGradient(const ConvShape& shape, const bf16* x, const bf16* dy, const uint32_t* argmax, float* dw,
                        Scratch& scratch);

}  // namespace spotter::kernels
