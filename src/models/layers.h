// SPDX-License-Identifier: Apache-2.0
// The layers themselves. Each constructor takes the shape of its input and says by Error(kUsage) when that can't be.
#pragma once

#include <memory>

#include "models/activation.h"
#include "models/layer.h"

namespace spotter {

/// Throws Error(kUsage) for a layer of more than 2^31 weights or output values an image: no text may ask for more than
/// can be counted.
void CheckSize(int64_t weights, const FeatureShape& output);

/// keras.layers.Conv2D with a bias. Parameters: weight (filters, in, kh, kw), bias (filters).
std::unique_ptr<Layer> MakeConv(const FeatureShape& input, int64_t filters, const Window& window,
                                const Activation* activation);

/// keras.layers.MaxPooling2D and AveragePooling2D; padding never counts: not as a maximum, not in an average.
std::unique_ptr<Layer> MakeMaxPool(const FeatureShape& input, const Window& window);
std::unique_ptr<Layer> MakeAvgPool(const FeatureShape& input, const Window& window);

/// keras.layers.GlobalAveragePooling2D and GlobalMaxPooling2D: (H, W, C) -> (C).
std::unique_ptr<Layer> MakeGlobalAvgPool(const FeatureShape& input);
std::unique_ptr<Layer> MakeGlobalMaxPool(const FeatureShape& input);

/// keras.layers.BatchNormalization: epsilon 1e-3, momentum 0.99 (the moving averages keep 0.99 of themselves a step).
/// Parameters: weight, bias, running_mean, running_var (channels). The moving variance takes the batch's unbiased
/// variance, as PyTorch and TensorFlow's fused kernel do; Keras 3's own formula takes the biased one, which for a batch
/// of n values a channel is smaller by 1/n.
std::unique_ptr<Layer> MakeBatchNorm(const FeatureShape& input);

/// keras.layers.Dropout: in training each value is zero with probability `rate`, the others are scaled by 1 / (1 -
/// rate).
std::unique_ptr<Layer> MakeDropout(const FeatureShape& input, double rate);

/// keras.layers.Flatten: (H, W, C) -> (H * W * C) in that order, the channel fastest, as Keras' channels_last.
std::unique_ptr<Layer> MakeFlatten(const FeatureShape& input);

/// keras.layers.Dense with a bias. Parameters: weight (units, in), bias (units).
std::unique_ptr<Layer> MakeDense(const FeatureShape& input, int64_t units, const Activation* activation);

/// keras.layers.Activation.
std::unique_ptr<Layer> MakeActivation(const FeatureShape& input, const Activation& activation);

}  // namespace spotter
