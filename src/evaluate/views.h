// SPDX-License-Identifier: Apache-2.0
// Test-time augmentation: a network's answer from several views of an image. Preprocessing says which
// (preprocessing.h).
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "augment/preprocessing.h"

namespace spotter {

/// What gives logits (N, classes), fp32, of images (N, C, H, W): Network::Forward, or an engine's.
using LogitsOf = std::function<at::Tensor(const at::Tensor& x)>;

/// Logits (N, classes) of images x (N, C, H, W) in channels-last memory. Each image's depend on that
/// image alone: whether it is worth more views is decided by its own plain logits.
at::Tensor ViewLogits(const LogitsOf& forward, const at::Tensor& x, const Views& views);

}  // namespace spotter
