// SPDX-License-Identifier: Apache-2.0
// A 3x3 convolution with bias, ReLU and 2x2 max pool, in one kernel each way.
#include "engine/buffer.h"
#include "engine/op.h"
#include "kernels/norm.h"
#include "kernels/winograd.h"

namespace spotter {
namespace {

class ConvOp : public Op {
 public:
  ConvOp(Layer& conv, const FeatureShape& input, const ConvOptions& options, kernels::Scratch& scratch)
      : weight_(*FindParameter(conv, "weight")),
        bias_(FindParameter(conv, "bias")),
        relu_(options.relu),
        scratch_(scratch) {
    const auto& spec = std::get<ConvSpec>(conv.spec());
    shape_ = {.height = input.height,
              .width = input.width,
              .in = input.channels,
              .out = conv.output_shape().channels,
              .kernel = 3,
              .pad = spec.window.padding == Padding::kSame ? 1 : 0,
              .pool = options.pool};
    weight_gradient_ = at::empty_like(weight_.value.detach());
    if (bias_ != nullptr) bias_gradient_ = at::empty_like(bias_->value.detach());
  }

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    shape_.images = pass.images;
    x_ = x;
    if (packed_stale_) {
      PackWinogradForward(shape_, Values(weight_), packed_.Get(kernels::WinogradPackedSize(shape_.in, shape_.out)),
                          scratch_.threads());
      packed_stale_ = false;
    }
    y_.Get(shape_.out_size());
    WinogradForward(shape_, x, packed_.data(), {.bias = bias_ != nullptr ? Values(*bias_) : nullptr, .relu = relu_},
                    y_.data(), pass.training && shape_.pool ? argmax_.Get(ArgmaxWords(shape_)) : nullptr, scratch_);
    return y_.data();
  }

  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass&) override {
    const kernels::RowShape rows{shape_.out_pixels(), shape_.out};
    float* bias_sum = bias_ != nullptr ? bias_gradient_.data_ptr<float>() : unused_.Get(shape_.out);
    if (relu_) {
      ReluGradient(rows, y_.data(), dy, bias_sum, scratch_);
    } else if (bias_ != nullptr) {
      GradientSums(rows, dy, dy, nullptr, nullptr, nullptr, kernels::Act::kNone, bias_sum, nullptr, scratch_);
    }
    if (bias_ != nullptr) SetGradient(*bias_, bias_gradient_);
    if (weight_.value.requires_grad()) {
      WinogradWeightGradient(shape_, x_, dy, argmax_.data(), weight_gradient_.data_ptr<float>(), scratch_);
      SetGradient(weight_, weight_gradient_);
    }
    if (dx_wanted) {
      bf16* packed = packed_back_.Get(kernels::WinogradPackedSize(shape_.out, shape_.in));
      PackWinogradDataGradient(shape_, Values(weight_), packed, scratch_.threads());
      WinogradDataGradient(shape_, dy, argmax_.data(), packed, spare, scratch_);
    }
    return spare;
  }

  void ParametersChanged() override { packed_stale_ = true; }
  int64_t products() const override { return shape_.products() / std::max<int64_t>(shape_.images, 1); }
  std::vector<Parameter*> parameters() const override {
    return bias_ != nullptr ? std::vector<Parameter*>{&weight_, bias_} : std::vector<Parameter*>{&weight_};
  }

 private:
  static const float* Values(const Parameter& parameter) { return parameter.value.const_data_ptr<float>(); }

  Parameter& weight_;
  Parameter* bias_;
  bool relu_;
  kernels::Scratch& scratch_;
  kernels::ConvShape shape_;
  bool packed_stale_ = true;
  const bf16* x_ = nullptr;
  Buffer<bf16> packed_, packed_back_, y_;
  Buffer<uint32_t> argmax_;
  Buffer<float> unused_;
  at::Tensor weight_gradient_, bias_gradient_;
};

}  // namespace

std::unique_ptr<Op> MakeConvOp(Layer& conv, const FeatureShape& input, const ConvOptions& options,
                               kernels::Scratch& scratch) {
  return std::make_unique<ConvOp>(conv, input, options, scratch);
}

}  // namespace spotter
