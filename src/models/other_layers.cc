// SPDX-License-Identifier: Apache-2.0
// The layers without a window: normalisation, dropout, flatten, dense, global pools, bare activations.
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "models/layers.h"

namespace spotter {
namespace {

void NeedMap(const char* what, const FeatureShape& input) {
  if (!input.is_map()) {
    Fail(ExitCode::kUsage, "a {} needs a map (height, width, channels), but its input is a vector of {}", what,
         input.channels);
  }
}

class GlobalPool : public Layer {
 public:
  GlobalPool(const FeatureShape& input, bool maximum) : maximum_(maximum) {
    NeedMap("global pool", input);
    spec_ = GlobalPoolSpec{maximum};
    output_shape_ = {0, 0, input.channels};
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override {
    return maximum_ ? at::amax(x, {2, 3}) : at::mean(x, at::OptionalIntArrayRef({2, 3}));
  }

 private:
  bool maximum_;
};

class BatchNorm : public Layer {
 public:
  BatchNorm(const FeatureShape& input, const BatchNormOptions& options) : options_(options) {
    spec_ = BatchNormSpec{options.scale, options.momentum, options.epsilon};
    output_shape_ = input;
    const auto add = [&](const char* name, ParameterRole role) {
      parameters_.push_back({.name = name, .role = role, .value = at::empty({input.channels})});
    };
    if (options.scale) add("weight", ParameterRole::kScale);
    add("bias", ParameterRole::kBias);
    add("running_mean", ParameterRole::kMean);
    add("running_var", ParameterRole::kVariance);
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext& context) override {
    // The last three are always there.
    const auto value = [&](size_t i) { return parameters_[parameters_.size() - 3 + i].value; };
    const at::Tensor scale = options_.scale ? parameters_[0].value : at::Tensor();
    // One value a channel (a last batch of one image) has no unbiased variance: 0/0 would spoil the moving one for
    // good.
    const bool moves = !context.training || x.numel() > x.size(1);
    return at::batch_norm(x, scale, value(0), moves ? value(1) : at::Tensor(), moves ? value(2) : at::Tensor(),
                          context.training, 1 - options_.momentum, options_.epsilon, /*cudnn_enabled=*/true);
  }

 private:
  BatchNormOptions options_;
};

class Dropout : public Layer {
 public:
  Dropout(const FeatureShape& input, double rate) : rate_(rate) {
    spec_ = DropoutSpec{rate};
    output_shape_ = input;
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext& context) override {
    return context.training && rate_ > 0 ? at::dropout(x, rate_, /*train=*/true) : x;
  }

 private:
  double rate_;
};

class Flatten : public Layer {
 public:
  explicit Flatten(const FeatureShape& input) {
    spec_ = FlattenSpec{};
    output_shape_ = {0, 0, input.size()};
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override {
    // In channels-last memory (N, H, W, C) is how the values lie, so this moves nothing.
    return x.dim() == 4 ? x.permute({0, 2, 3, 1}).reshape({x.size(0), -1}) : x;
  }
};

class Dense : public Layer {
 public:
  Dense(const FeatureShape& input, int64_t units, const Activation* activation, const KernelOptions& options)
      : activation_(activation) {
    if (input.is_map()) {
      Fail(ExitCode::kUsage,
           "dense needs a vector, but its input is a map of {}; put 'flatten' or 'globalavgpool' before it",
           ToString(input));
    }
    spec_ = DenseSpec{activation};
    output_shape_ = {0, 0, units};
    CheckSize(units * input.channels, output_shape_);
    flops_ = 2 * units * input.channels;
    parameters_ = {{.name = "weight",
                    .role = ParameterRole::kKernel,
                    .value = at::empty({units, input.channels}),
                    .fan_in = input.channels,
                    .fan_out = units,
                    .initial = options.initial}};
    if (options.bias)
      parameters_.push_back({.name = "bias", .role = ParameterRole::kBias, .value = at::empty({units})});
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext& context) override {
    const at::Tensor bias = parameters_.size() > 1 ? parameters_[1].value.to(context.precision) : at::Tensor();
    at::Tensor y = at::linear(x, parameters_[0].value.to(context.precision), bias);
    return activation_ != nullptr ? activation_->apply(std::move(y)) : y;
  }

 private:
  const Activation* activation_;
};

class ActivationLayer : public Layer {
 public:
  ActivationLayer(const FeatureShape& input, const Activation& activation) : activation_(activation) {
    spec_ = ActivationSpec{&activation};
    output_shape_ = input;
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override { return activation_.apply(x.clone()); }

 private:
  const Activation& activation_;
};

class Scale : public Layer {
 public:
  Scale(const FeatureShape& input, double factor) : factor_(factor) {
    spec_ = ScaleSpec{factor};
    output_shape_ = input;
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override { return x * factor_; }

 private:
  double factor_;
};

class Skip : public Layer {
 public:
  Skip(const FeatureShape& input, std::shared_ptr<SkipSlot> slot) : slot_(std::move(slot)) {
    spec_ = SkipSpec{slot_.get()};
    output_shape_ = slot_->shape = input;
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override { return slot_->value = x; }

 private:
  std::shared_ptr<SkipSlot> slot_;
};

class Add : public Layer {
 public:
  Add(const FeatureShape& input, std::shared_ptr<SkipSlot> slot) : slot_(std::move(slot)) {
    if (slot_->shape != input) {
      Fail(ExitCode::kUsage, "the shape here is {}, but its 'skip' has {}: only equal shapes can be added",
           ToString(input), ToString(slot_->shape));
    }
    spec_ = AddSpec{slot_.get()};
    output_shape_ = input;
  }
  at::Tensor Forward(const at::Tensor& x, const ForwardContext&) override {
    return x + std::exchange(slot_->value, at::Tensor());
  }

 private:
  std::shared_ptr<SkipSlot> slot_;
};

}  // namespace

void CheckSize(int64_t weights, const FeatureShape& output) {
  constexpr int64_t kMost = int64_t{1} << 31;
  if (weights > kMost || output.size() > kMost) {
    Fail(ExitCode::kUsage,
         "with {} weights and an output of {} it is too large: at most {} of each; use fewer units or filters", weights,
         ToString(output), WithThousands(kMost));
  }
}

std::unique_ptr<Layer> MakeGlobalAvgPool(const FeatureShape& input) {
  return std::make_unique<GlobalPool>(input, false);
}
std::unique_ptr<Layer> MakeGlobalMaxPool(const FeatureShape& input) {
  return std::make_unique<GlobalPool>(input, true);
}
std::unique_ptr<Layer> MakeBatchNorm(const FeatureShape& input, const BatchNormOptions& options) {
  return std::make_unique<BatchNorm>(input, options);
}
std::unique_ptr<Layer> MakeDropout(const FeatureShape& input, double rate) {
  return std::make_unique<Dropout>(input, rate);
}
std::unique_ptr<Layer> MakeFlatten(const FeatureShape& input) { return std::make_unique<Flatten>(input); }
std::unique_ptr<Layer> MakeDense(const FeatureShape& input, int64_t units, const Activation* activation,
                                 const KernelOptions& options) {
  return std::make_unique<Dense>(input, units, activation, options);
}
std::unique_ptr<Layer> MakeActivation(const FeatureShape& input, const Activation& activation) {
  return std::make_unique<ActivationLayer>(input, activation);
}
std::unique_ptr<Layer> MakeScale(const FeatureShape& input, double factor) {
  return std::make_unique<Scale>(input, factor);
}
std::unique_ptr<Layer> MakeSkip(const FeatureShape& input, std::shared_ptr<SkipSlot> slot) {
  return std::make_unique<Skip>(input, std::move(slot));
}
std::unique_ptr<Layer> MakeAdd(const FeatureShape& input, std::shared_ptr<SkipSlot> slot) {
  return std::make_unique<Add>(input, std::move(slot));
}

}  // namespace spotter
