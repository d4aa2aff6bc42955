// SPDX-License-Identifier: Apache-2.0
// Test-time augmentation: a network's answer from several views of an image. Preprocessing says which
// (preprocessing.h).
#pragma once

#include <ATen/ATen.h>

#include "augment/preprocessing.h"
#include "models/network.h"

namespace spotter {

/// Logits (N, classes), fp32, of images x (N, C, H, W) as Network::Forward takes them. Each image's depend on that
/// image alone: whether it is worth more views is decided by its own plain logits.
at::Tensor ViewLogits(const Network& network, const at::Tensor& x, const ForwardContext& context, const Views& views);

}  // namespace spotter
