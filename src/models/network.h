// SPDX-License-Identifier: Apache-2.0
// A network: layers one after another, from a batch of images to logits.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/layer.h"

namespace spotter {

class Network {
 public:
  /// `layers`: text in the layer language (language.h). Parameters get no values: call InitializeParameters or copy
  /// them in. Throws Error(kUsage).
  Network(std::string layers, const FeatureShape& input, int64_t classes);

  /// x (N, C, H, W) in channels-last memory and the context's precision -> logits (N, classes), fp32.
  at::Tensor Forward(at::Tensor x, const ForwardContext& context) const;

  /// Kernels as their `initial` says (Glorot-uniform unless the text says otherwise), biases 0, scales 1, moving mean 0
  /// and variance 1, as Keras. A pure function of the seed and of the parameter's place. A whitening kernel is random
  /// until it is computed from images (whitening.h).
  void InitializeParameters(uint64_t seed);

  void MoveTo(const at::Device& device);

  /// All parameters, trained and not, in the order of the layers. Pointers live as long as the network.
  std::vector<Parameter*> parameters() const;
  const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }
  const std::string& text() const { return text_; }
  const FeatureShape& input_shape() const { return input_; }
  int64_t classes() const { return classes_; }

  /// The first parameter that holds a NaN or an infinity; nullptr when all values are finite.
  const Parameter* FirstNotFinite() const;
  int64_t parameter_count() const;  // of all tensors, as Keras' count_params()
  int64_t trainable_parameter_count() const;
  int64_t flops() const;  // forward, one image

 private:
  std::string text_;
  FeatureShape input_;
  int64_t classes_;
  std::vector<std::unique_ptr<Layer>> layers_;
};

/// The Keras-style summary as text: layer, output shape, parameters, FLOPs; totals below.
std::string Summary(const Network& network);

}  // namespace spotter
