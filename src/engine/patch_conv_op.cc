// SPDX-License-Identifier: Apache-2.0
// The first convolution of a network, from few channels, with bias and activation.
#include "engine/buffer.h"
#include "engine/op.h"
#include "kernels/patch_conv.h"

namespace spotter {
namespace {

class PatchConvOp : public Op {
 public:
  PatchConvOp(Layer& conv, const FeatureShape& input, kernels::Act act, kernels::Scratch& scratch)
      : weight_(*FindParameter(conv, "weight")), bias_(FindParameter(conv, "bias")), act_(act), scratch_(scratch) {
    const Window& window = std::get<ConvSpec>(conv.spec()).window;
    shape_ = {.height = input.height,
              .width = input.width,
              .in = input.channels,
              .out = conv.output_shape().channels,
              .kernel = window.kernel_height,
              .pad = window.padding == Padding::kSame ? window.kernel_height / 2 : 0};
    weight_gradient_ = at::empty_like(weight_.value.detach());
    bias_gradient_ = at::empty({shape_.out});
  }

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    shape_.images = pass.images;
    x_ = x;
    if (stale_) PackPatchWeights(shape_, weight_.value.const_data_ptr<float>(), packed_.Get(PatchPackedSize(shape_)));
    stale_ = false;
    const bool derived = pass.training && act_ != kernels::Act::kNone && act_ != kernels::Act::kRelu && Learns();
    y_.Get(shape_.out_size());
    PatchForward(shape_, x, packed_.data(), bias_ != nullptr ? bias_->value.const_data_ptr<float>() : nullptr, act_,
                 derived ? z_.Get(shape_.out_size()) : nullptr, y_.data(), scratch_);
    return y_.data();
  }

  /// It is the first step: nothing asks for its input's gradient.
  bf16* Backward(bf16* dy, bf16*, bool, const Pass&) override {
    const kernels::RowShape rows{shape_.out_pixels(), shape_.out};
    const bool smooth = act_ != kernels::Act::kNone && act_ != kernels::Act::kRelu;
    float* bias_sum = bias_ != nullptr ? bias_gradient_.data_ptr<float>() : nullptr;
    if (weight_.value.requires_grad()) {
      if (smooth) ActGradient(rows, z_.data(), dy, nullptr, nullptr, nullptr, nullptr, act_, dy, scratch_);
      PatchWeightGradient(shape_, x_, dy, act_ == kernels::Act::kRelu ? y_.data() : nullptr,
                          weight_gradient_.data_ptr<float>(), bias_sum, scratch_);
      SetGradient(weight_, weight_gradient_);
    } else if (bias_ != nullptr && smooth) {
      GradientSums(rows, z_.data(), dy, nullptr, nullptr, nullptr, act_, bias_sum, nullptr, scratch_);
    } else if (bias_ != nullptr) {
      // The output is where the activation's derivative can be told from: it is 1 there, or 0.
      GradientSums(rows, y_.data(), dy, nullptr, nullptr, nullptr, act_, bias_sum, nullptr, scratch_);
    }
    if (bias_ != nullptr) SetGradient(*bias_, bias_gradient_);
    return dy;
  }

  void ParametersChanged() override { stale_ = stale_ || weight_.value.requires_grad(); }
  int64_t products() const override { return shape_.products() / std::max<int64_t>(shape_.images, 1); }
  std::vector<Parameter*> parameters() const override {
    return bias_ != nullptr ? std::vector<Parameter*>{&weight_, bias_} : std::vector<Parameter*>{&weight_};
  }

 private:
  bool Learns() const { return weight_.value.requires_grad() || (bias_ != nullptr && bias_->value.requires_grad()); }
  Parameter& weight_;
  Parameter* bias_;
  kernels::Act act_;
  kernels::Scratch& scratch_;
  kernels::ConvShape shape_;
  bool stale_ = true;
  const bf16* x_ = nullptr;
  Buffer<bf16> packed_, y_, z_;
  at::Tensor weight_gradient_, bias_gradient_;
};

}  // namespace

std::unique_ptr<Op> MakePatchConvOp(Layer& conv, const FeatureShape& input, kernels::Act act,
                                    kernels::Scratch& scratch) {
  return std::make_unique<PatchConvOp>(conv, input, act, scratch);
}

}  // namespace spotter
