// SPDX-License-Identifier: Apache-2.0
// The kernel of a whitening convolution: patches of the images come out uncorrelated, of deviation 1 each. From Page's
// "How to train your ResNet 8" (2019), as airbench has it (Jordan 2024).
#pragma once

#include <ATen/ATen.h>

#include "models/network.h"

namespace spotter {

/// The sum of x x^T over all patches x of a kernel's size (stride 1, no padding), and how many there were. In double.
struct PatchProducts {
  at::Tensor sum;  // (d, d), d = channels * height * width in this order
  int64_t patches = 0;
};

/// Adds the patches of `images`, (N, C, H, W), fp32.
void AddPatches(const at::Tensor& images, int64_t kernel_height, int64_t kernel_width, PatchProducts& products);

/// (2 d, d), fp32: the rows v / sqrt(lambda + 5e-4) over the eigenvectors v of the mean product (uncentred), lambda
/// ascending, each with its largest entry positive; then their negatives.
at::Tensor WhiteningRows(const PatchProducts& products);

/// The network's whitening kernel; nullptr when it has none.
Parameter* WhiteningKernel(const Network& network);

}  // namespace spotter
