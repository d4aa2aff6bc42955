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

/// What a convolution or a dense layer may have beside its size.
struct KernelOptions {
  bool bias = true;
  Initial initial = Initial::kGlorot;
  bool whitening = false;  // conv: the kernel whitens patches of the images (whitening.h) and is not trained
};

/// How many filters a whitening convolution has: one for each value of a patch, and their negatives.
int64_t WhiteningFilters(const FeatureShape& input, const Window& window);

/// keras.layers.Conv2D. Parameters: weight (filters, in, kh, kw), bias (filters) unless without. Throws Error(kUsage)
/// for whitening with another number of filters than WhiteningFilters.
std::unique_ptr<Layer> MakeConv(const FeatureShape& input, int64_t filters, const Window& window,
                                const Activation* activation, const KernelOptions& options = {});

/// keras.layers.MaxPooling2D and AveragePooling2D; padding never counts: not as a maximum, not in an average.
std::unique_ptr<Layer> MakeMaxPool(const FeatureShape& input, const Window& window);
std::unique_ptr<Layer> MakeAvgPool(const FeatureShape& input, const Window& window);

/// keras.layers.GlobalAveragePooling2D and GlobalMaxPooling2D: (H, W, C) -> (C).
std::unique_ptr<Layer> MakeGlobalAvgPool(const FeatureShape& input);
std::unique_ptr<Layer> MakeGlobalMaxPool(const FeatureShape& input);

struct BatchNormOptions {
  bool scale = true;       // without it gamma is 1 and no parameter
  double momentum = 0.99;  // what the moving averages keep of themselves a step, in [0, 1]; PyTorch's is 1 minus this
  double epsilon = 1e-3;   // added to the variance
};

/// keras.layers.BatchNormalization. Parameters: weight (unless without), bias, running_mean, running_var (channels).
/// The moving variance takes the batch's unbiased variance, as PyTorch and TensorFlow's fused kernel do; Keras 3's own
/// formula takes the biased one, which for a batch of n values a channel is smaller by 1/n.
std::unique_ptr<Layer> MakeBatchNorm(const FeatureShape& input, const BatchNormOptions& options = {});

/// keras.layers.Dropout: in training each value is zero with probability `rate`, the others are scaled by 1 / (1 -
/// rate).
std::unique_ptr<Layer> MakeDropout(const FeatureShape& input, double rate);

/// keras.layers.Flatten: (H, W, C) -> (H * W * C) in that order, the channel fastest, as Keras' channels_last.
std::unique_ptr<Layer> MakeFlatten(const FeatureShape& input);

/// keras.layers.Dense. Parameters: weight (units, in), bias (units) unless without.
std::unique_ptr<Layer> MakeDense(const FeatureShape& input, int64_t units, const Activation* activation,
                                 const KernelOptions& options = {});

/// keras.layers.Activation.
std::unique_ptr<Layer> MakeActivation(const FeatureShape& input, const Activation& activation);

/// Multiplies by a constant; keras.layers.Rescaling.
std::unique_ptr<Layer> MakeScale(const FeatureShape& input, double factor);

/// A residual connection: `skip` hands its input on and remembers it, `add` adds what the skip of the same slot
/// remembered. Throws Error(kUsage) when the shapes differ. Forward keeps the tensor from the one to the other only.
struct SkipSlot {
  FeatureShape shape;
  at::Tensor value;
};
std::unique_ptr<Layer> MakeSkip(const FeatureShape& input, std::shared_ptr<SkipSlot> slot);
std::unique_ptr<Layer> MakeAdd(const FeatureShape& input, std::shared_ptr<SkipSlot> slot);

}  // namespace spotter
