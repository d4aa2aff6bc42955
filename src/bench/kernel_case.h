// SPDX-License-Identifier: Apache-2.0
// A kernel of ours and the same operation by libtorch (oneDNN), on the same values in memory: bf16, channels-last.
//
// What costs a training step counts: ours transforms its weights in each call, libtorch allocates its outputs.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/conv_shape.h"
#include "kernels/dense.h"
#include "kernels/norm.h"
#include "kernels/pool.h"

namespace spotter {

/// Both hold the memory that they work in, and return what they computed, of the same shape.
struct KernelCalls {
  std::function<at::Tensor()> ours;
  /// In bf16: what is timed. In fp64: what is exact, from the same maps (bf16) and weights (fp32, not rounded).
  /// Backwards a pool's maxima are where ours found them: of nearly equal values rounding decides, and moves whole
  /// gradients.
  std::function<at::Tensor(at::ScalarType)> libtorch;
};

struct KernelCase {
  std::string kernel;  // "conv, weight gradient"
  std::string shape;   // "31 x 31 x 24 -> 64, same, pool"
  int64_t images = 0;
  double products = 0;  // multiply-adds of the plain algorithm; 0 where memory is what it takes
  double bytes = 0;     // then: read and written when each pass goes over its maps once
  bool random = false;  // the two draw numbers of their own
  std::function<KernelCalls()> make;
};

/// 3x3, with what the engine joins to it. Backwards the activation has a kernel of its own (ReluGradientCase); what
/// undoes a pool is counted in libtorch's data gradient, once.
KernelCase ConvForwardCase(const kernels::ConvShape& shape, bool bias, bool relu, int threads);
KernelCase ConvDataGradientCase(const kernels::ConvShape& shape, int threads);
KernelCase ConvWeightGradientCase(const kernels::ConvShape& shape, int threads);

/// Of few input channels, with bias and activation; backwards the weights' and the bias's gradient, and ReLU's. Other
/// activations have a kernel of their own there (ActivationGradientCase).
KernelCase PatchForwardCase(const kernels::ConvShape& shape, kernels::Act act, int threads);
KernelCase PatchGradientCase(const kernels::ConvShape& shape, kernels::Act act, int threads);

/// Batch norm in training with the activation behind it, and with a pool where its windows are larger than 1.
KernelCase NormForwardCase(const kernels::PoolShape& shape, kernels::Act act, int threads);
KernelCase NormBackwardCase(const kernels::PoolShape& shape, kernels::Act act, int threads);
/// An activation alone. Here and below maps are pixels x channels an image.
KernelCase ActivationCase(kernels::Act act, int64_t images, int64_t pixels, int64_t channels, int threads);
KernelCase ActivationGradientCase(kernels::Act act, int64_t images, int64_t pixels, int64_t channels, int threads);
/// The sum of two maps.
KernelCase AddCase(int64_t images, int64_t pixels, int64_t channels, int threads);
/// ReLU's, from its output, and the bias's.
KernelCase ReluGradientCase(int64_t images, int64_t pixels, int64_t channels, int threads);

KernelCase MaxPoolCase(const kernels::PoolShape& shape, int threads);
KernelCase MaxPoolGradientCase(const kernels::PoolShape& shape, int threads);
/// Forward, with the weights' way to bf16, and both gradients; the weights' in fp32.
std::vector<KernelCase> DenseCases(const kernels::DenseShape& shape, int threads);
KernelCase DropoutCase(int64_t images, int64_t features, double rate, int threads);

}  // namespace spotter
