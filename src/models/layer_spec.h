// SPDX-License-Identifier: Apache-2.0
// What a layer is, as plain data: for those who compute it by other means than its Forward (the engine's kernels) or
// write it down in another language.
#pragma once

#include <cstdint>
#include <variant>

#include "models/activation.h"

namespace spotter {

enum class Padding { kValid, kSame };

/// A window that moves over a map: convolution and pooling share its arithmetic.
/// Output size: valid floor((n - k) / s) + 1; same ceil(n / s), padded with floor(p / 2) before and the rest after,
/// where p = max((ceil(n / s) - 1) * s + k - n, 0): TensorFlow's rule, which is one-sided for even sizes and stride 2.
struct Window {
  int64_t kernel_height = 3;
  int64_t kernel_width = 3;
  int64_t stride = 1;
  Padding padding = Padding::kValid;
};

struct ConvSpec {
  Window window;
  const Activation* activation = nullptr;
};
struct MaxPoolSpec {
  Window window;
};
struct BatchNormSpec {
  double momentum = 0.99;  // the share of the moving averages that is kept, as in Keras
  double epsilon = 1e-3;
};
struct DropoutSpec {
  double rate = 0;
};
struct FlattenSpec {};
struct DenseSpec {
  const Activation* activation = nullptr;
};
struct ActivationSpec {
  const Activation* activation = nullptr;
};
/// Any other layer: only its Forward knows.
struct OtherSpec {};

using LayerSpec =
    std::variant<OtherSpec, ConvSpec, MaxPoolSpec, BatchNormSpec, DropoutSpec, FlattenSpec, DenseSpec, ActivationSpec>;

}  // namespace spotter
