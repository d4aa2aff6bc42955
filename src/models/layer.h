// SPDX-License-Identifier: Apache-2.0
// One layer of a network: what it makes of its input's shape, its parameters, and its forward pass.
//
// The meaning of every layer is Keras 3's for the layer of that name, so that a Keras network written in Spotter's
// layer language gives the same logits for the same weights. The layers are made by layers.h; language.h lists the
// words.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "models/layer_spec.h"

namespace spotter {

/// The shape of one image's features: a map (height, width, channels), or a vector (units) after flatten, dense or a
/// global pool, which has height = width = 0.
struct FeatureShape {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  bool is_map() const { return height > 0; }
  int64_t size() const { return is_map() ? height * width * channels : channels; }
  bool operator==(const FeatureShape&) const = default;
};
std::string ToString(const FeatureShape& shape);  // "(32, 32, 3)" or "(128)"

enum class ParameterRole {
  kKernel,         // filled as its `initial` says, decayed by weight decay
  kBias,           // zeros
  kScale,          // ones (batch norm's gamma)
  kMean,           // zeros, not trained (batch norm's moving mean)
  kVariance,       // ones, not trained (batch norm's moving variance)
  kWhitening,      // a kernel that is computed from the training images (whitening.h) and not trained
  kWhiteningBias,  // its bias, U(-a, a) with a = 1 / sqrt(fan_in); sgd and muon train it for a while only
};

/// What a kernel holds before training.
enum class Initial {
  kGlorot,   // U(-a, a) with a = sqrt(6 / (fan_in + fan_out)), as Keras
  kUniform,  // U(-a, a) with a = 1 / sqrt(fan_in), as PyTorch
  kDirac,    // kUniform, but the first min(in, out) filters hand on the input channel of their number: 1 at the centre
             // tap of that channel, 0 elsewhere (torch.nn.init.dirac_ on weight[:in])
  kUnit,     // kUniform, divided by its standard deviation (the unbiased one)
};

/// A tensor that a layer owns. fp32; kernels are (out, in, height, width) in channels-last memory or (out, in), as in
/// PyTorch. `name` is the layer's and the tensor's: "conv_1.weight", "batchnorm_1.running_mean".
struct Parameter {
  std::string name;
  ParameterRole role;
  at::Tensor value;
  int64_t fan_in = 0;  // kernels: Keras' fans, for Glorot
  int64_t fan_out = 0;
  Initial initial = Initial::kGlorot;  // kernels
  bool trainable() const {
    return role != ParameterRole::kMean && role != ParameterRole::kVariance && role != ParameterRole::kWhitening;
  }
};

struct ForwardContext {
  bool training = false;  // dropout drops, batch norm uses the batch's statistics and moves its averages
  at::ScalarType precision = at::kFloat;  // of activations and products: kFloat or kBFloat16; parameters stay fp32
};

class Layer {
 public:
  virtual ~Layer() = default;

  /// x: (N, C, H, W) in channels-last memory for a map, (N, units) for a vector, in the context's precision. The layers
  /// of a network are called in their order, by one thread at a time: `add` takes what `skip` was given.
  virtual at::Tensor Forward(const at::Tensor& x, const ForwardContext& context) = 0;

  const std::string& name() const { return name_; }                // "conv_1": the word, numbered from 1 by kind
  const std::string& description() const { return description_; }  // as the user wrote it: "conv 32 valid relu"
  const FeatureShape& output_shape() const { return output_shape_; }
  int64_t flops() const {
    return flops_;
  }  // of one image, forward: two a multiply-add of conv and dense; 0 for the rest
  const LayerSpec& spec() const { return spec_; }
  std::vector<Parameter>& parameters() { return parameters_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

  void SetNames(std::string name, std::string description);  // also prefixes the parameters' names

 protected:
  LayerSpec spec_;
  std::vector<Parameter> parameters_;
  FeatureShape output_shape_;
  int64_t flops_ = 0;

 private:
  std::string name_;
  std::string description_;
};

}  // namespace spotter
