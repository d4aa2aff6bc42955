// SPDX-License-Identifier: Apache-2.0
// The first convolution of a network, from few channels, with bias and activation.
#include "engine/buffer.h"
#include "engine/weighted_op.h"
#include "kernels/patch_conv.h"

namespace spotter {
namespace {

class PatchConvOp : public WeightedOp {
 public:
  PatchConvOp(Layer& conv, const PatchConvStep& step, kernels::Scratch& scratch)
      : WeightedOp(conv), act_(step.act), scratch_(scratch), shape_(step.shape) {}

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    shape_.images = pass.images;
    x_ = x;
    if (stale_) PackPatchWeights(shape_, weight(), packed_.Get(PatchPackedSize(shape_)));
    stale_ = false;
    derived_ = pass.training && IsSmooth(act_) && Learns();
    y_.Get(shape_.out_size());
    PatchForward(shape_, x, packed_.data(), bias(), act_, derived_ ? z_.Get(shape_.out_size()) : nullptr, y_.data(),
                 scratch_);
    return y_.data();
  }

  const bf16* Keep(const bf16* x, const KeptImages& kept) override {
    x_ = x;
    kept.Gather(y_.data(), shape_.out_size());
    if (derived_) kept.Gather(z_.data(), shape_.out_size());
    shape_.images = kept.count();
    return y_.data();
  }

  /// It is the first step: nothing asks for its input's gradient.
  bf16* Backward(bf16* dy, bf16*, bool, const Pass&) override {
    const kernels::RowShape rows{shape_.out_pixels(), shape_.out};
    const bool smooth = IsSmooth(act_);
    if (WeightLearns()) {
      if (smooth) ActGradient(rows, z_.data(), dy, nullptr, nullptr, nullptr, nullptr, act_, dy, scratch_);
      PatchWeightGradient(shape_, x_, dy, act_ == kernels::Act::kRelu ? y_.data() : nullptr, weight_gradient(),
                          has_bias() ? bias_gradient() : nullptr, scratch_);
      SetWeightGradient();
    } else if (has_bias()) {
      // Of the others the output tells the derivative: it is 1, or 0.
      GradientSums(rows, smooth ? z_.data() : y_.data(), dy, nullptr, nullptr, nullptr, act_, bias_gradient(), nullptr,
                   nullptr, scratch_);
    }
    SetBiasGradient();
    return dy;
  }

  void ParametersChanged() override { stale_ = stale_ || WeightLearns(); }
  int64_t products() const override { return shape_.products() / std::max<int64_t>(shape_.images, 1); }

 private:
  kernels::Act act_;
  kernels::Scratch& scratch_;
  kernels::ConvShape shape_;
  bool stale_ = true;
  bool derived_ = false;  // the last Forward left in z_ what the activation's gradient needs
  const bf16* x_ = nullptr;
  Buffer<bf16> packed_, y_, z_;
};

}  // namespace

std::unique_ptr<Op> MakePatchConvOp(Layer& conv, const PatchConvStep& step, kernels::Scratch& scratch) {
  return std::make_unique<PatchConvOp>(conv, step, scratch);
}

}  // namespace spotter
