// SPDX-License-Identifier: Apache-2.0
// A dense layer with bias and ReLU.
#include "engine/buffer.h"
#include "engine/op.h"
#include "kernels/dense.h"
#include "kernels/norm.h"

namespace spotter {
namespace {

class DenseOp : public Op {
 public:
  DenseOp(Layer& dense, const FeatureShape& input, bool relu, kernels::Scratch& scratch)
      : weight_(*FindParameter(dense, "weight")), bias_(FindParameter(dense, "bias")), relu_(relu), scratch_(scratch) {
    shape_ = {.in = input.size(), .out = dense.output_shape().channels};
    weight_gradient_ = at::empty_like(weight_.value.detach());
    bias_gradient_ = at::empty({shape_.out});
  }

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    shape_.images = pass.images;
    x_ = x;
    if (stale_)
      HalveDenseWeights(shape_, weight_.value.const_data_ptr<float>(), half_.Get(DenseHalfSize(shape_)),
                        scratch_.threads());
    stale_ = false;
    bf16* y = y_.Get(pass.images * shape_.out);
    DenseForward(shape_, x, half_.data(), bias_ != nullptr ? bias_->value.const_data_ptr<float>() : nullptr,
                 relu_ ? kernels::Act::kRelu : kernels::Act::kNone, y, scratch_);
    return y;
  }

  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass&) override {
    const kernels::RowShape rows{shape_.images, shape_.out};
    auto* sum = bias_gradient_.data_ptr<float>();
    if (relu_) {
      ReluGradient(rows, y_.data(), dy, sum, scratch_);
    } else if (bias_ != nullptr) {
      GradientSums(rows, dy, dy, nullptr, nullptr, nullptr, kernels::Act::kNone, sum, nullptr, scratch_);
    }
    if (bias_ != nullptr) SetGradient(*bias_, bias_gradient_);
    if (weight_.value.requires_grad()) {
      DenseWeightGradient(shape_, x_, dy, weight_gradient_.data_ptr<float>(), scratch_);
      SetGradient(weight_, weight_gradient_);
    }
    if (dx_wanted) DenseDataGradient(shape_, dy, half_.data(), spare, scratch_);
    return spare;
  }

  void ParametersChanged() override { stale_ = true; }
  int64_t products() const override { return shape_.in * shape_.out; }
  std::vector<Parameter*> parameters() const override {
    return bias_ != nullptr ? std::vector<Parameter*>{&weight_, bias_} : std::vector<Parameter*>{&weight_};
  }

 private:
  Parameter& weight_;
  Parameter* bias_;
  bool relu_;
  kernels::Scratch& scratch_;
  kernels::DenseShape shape_;
  bool stale_ = true;
  const bf16* x_ = nullptr;
  Buffer<bf16> half_, y_;
  at::Tensor weight_gradient_, bias_gradient_;
};

}  // namespace

std::unique_ptr<Op> MakeDenseOp(Layer& dense, const FeatureShape& input, bool relu, kernels::Scratch& scratch) {
  return std::make_unique<DenseOp>(dense, input, relu, scratch);
}

}  // namespace spotter
