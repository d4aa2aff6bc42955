// SPDX-License-Identifier: Apache-2.0
// What the ops of layers with weights share: their parameters, and the gradients of what lies behind the product.
#pragma once

#include "engine/op.h"
#include "kernels/norm.h"

namespace spotter {

class WeightedOp : public Op {
 public:
  std::vector<Parameter*> parameters() const override {
    return bias_ != nullptr ? std::vector<Parameter*>{&weight_, bias_} : std::vector<Parameter*>{&weight_};
  }

 protected:
  explicit WeightedOp(Layer& layer)
      : weight_(*FindParameter(layer, "weight")),
        bias_(FindParameter(layer, "bias")),
        channels_(layer.output_shape().channels) {}

  bool has_bias() const { return bias_ != nullptr; }
  bool WeightLearns() const { return weight_.value.requires_grad(); }
  bool Learns() const { return WeightLearns() || (has_bias() && bias_->value.requires_grad()); }
  const float* weight() const { return weight_.value.const_data_ptr<float>(); }
  const float* bias() const { return has_bias() ? bias_->value.const_data_ptr<float>() : nullptr; }  // or null

  /// Where gradients are written to, from the first backward pass on, and what hands them over then.
  float* weight_gradient() {
    if (!weight_gradient_.defined()) weight_gradient_ = at::empty_like(weight_.value.detach());
    return weight_gradient_.data_ptr<float>();
  }
  float* bias_gradient() {
    if (!bias_gradient_.defined()) bias_gradient_ = at::empty({channels_});
    return bias_gradient_.data_ptr<float>();
  }
  void SetWeightGradient() { SetGradient(weight_, weight_gradient_); }
  void SetBiasGradient() {
    if (has_bias()) SetGradient(*bias_, bias_gradient_);
  }

  /// dy before ReLU, in place, where y is what ReLU gave, else null; and the bias's gradient.
  void ReluAndBiasGradient(const kernels::RowShape& rows, const bf16* y, bf16* dy, kernels::Scratch& scratch) {
    if (y != nullptr) {
      ReluGradient(rows, y, dy, bias_gradient(), scratch);
    } else if (has_bias()) {
      GradientSums(rows, dy, dy, nullptr, nullptr, nullptr, kernels::Act::kNone, bias_gradient(), nullptr, nullptr,
                   scratch);
    }
    SetBiasGradient();
  }

 private:
  Parameter& weight_;
  Parameter* bias_;
  int64_t channels_;
  at::Tensor weight_gradient_, bias_gradient_;
};

}  // namespace spotter
