// SPDX-License-Identifier: Apache-2.0
// A residual connection: skip hands its input on, add adds it to its own.
#pragma once

#include <memory>

#include "engine/buffer.h"
#include "engine/op.h"

namespace spotter {

/// What a skip and its add tell each other.
struct Residual {
  const bf16* x = nullptr;  // the skip's input, in a forward pass from there to the add
  Buffer<bf16> gradient;    // of the add's output, in a backward pass from there to the skip
};

std::unique_ptr<Op> MakeSkipOp(std::shared_ptr<Residual> residual, const FeatureShape& shape, int threads);
std::unique_ptr<Op> MakeAddOp(std::shared_ptr<Residual> residual, const FeatureShape& shape, int threads);

}  // namespace spotter
