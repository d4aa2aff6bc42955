// SPDX-License-Identifier: Apache-2.0
// What a layer is, as plain data: for those who compute it by other means than its Forward (the engine's kernels) or
// write it down in another language.
#pragma once

#include <algorithm>
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

/// What a window does along one axis of n values; output 0: it does not fit.
struct WindowAxis {
  int64_t output = 0;
  int64_t pad_before = 0;
  int64_t pad_after = 0;
};
inline WindowAxis AlongAxis(int64_t n, int64_t kernel, const Window& window) {
  if (window.padding == Padding::kValid) return {n < kernel ? 0 : (n - kernel) / window.stride + 1, 0, 0};
  const int64_t output = (n + window.stride - 1) / window.stride;
  const int64_t pad = std::max<int64_t>((output - 1) * window.stride + kernel - n, 0);
  return {output, pad / 2, pad - pad / 2};
}

struct ConvSpec {
  Window window;
  const Activation* activation = nullptr;
};
struct MaxPoolSpec {
  Window window;
};
/// Padding does not count in the average.
struct AvgPoolSpec {
  Window window;
};
struct GlobalPoolSpec {
  bool maximum = false;  // else the average
};
struct BatchNormSpec {
  bool scale = true;       // whether there is a parameter "weight"; else gamma is 1
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
struct ScaleSpec {
  double factor = 1;
};
/// What a skip sees is added by the add of the same slot.
struct SkipSlot;
struct SkipSpec {
  const SkipSlot* slot = nullptr;
};
struct AddSpec {
  const SkipSlot* slot = nullptr;
};

using LayerSpec = std::variant<ConvSpec, MaxPoolSpec, AvgPoolSpec, GlobalPoolSpec, BatchNormSpec, DropoutSpec,
                               FlattenSpec, DenseSpec, ActivationSpec, ScaleSpec, SkipSpec, AddSpec>;

}  // namespace spotter
