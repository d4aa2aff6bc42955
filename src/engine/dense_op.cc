// SPDX-License-Identifier: Apache-2.0
// A dense layer with bias and ReLU.
#include "engine/buffer.h"
#include "engine/weighted_op.h"
#include "kernels/dense.h"

namespace spotter {
namespace {

class DenseOp : public WeightedOp {
 public:
  DenseOp(Layer& dense, const DenseStep& step, kernels::Scratch& scratch)
      : WeightedOp(dense), relu_(step.relu), scratch_(scratch), shape_(step.shape) {}

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    shape_.images = pass.images;
    x_ = x;
    if (stale_) HalveDenseWeights(shape_, weight(), half_.Get(DenseHalfSize(shape_)), scratch_.threads());
    stale_ = false;
    bf16* y = y_.Get(pass.images * shape_.out);
    if (pass.training || pass.images > kernels::DenseFew()) {
      DenseForward(shape_, x, half_.data(), bias(), relu_, y, scratch_);
      return y;
    }
    if (turned_stale_) TurnDenseWeights(shape_, half_.data(), turned_.Get(DenseTurnedSize(shape_)), scratch_.threads());
    turned_stale_ = false;
    DenseForwardOfFew(shape_, x, turned_.data(), bias(), relu_, y, scratch_);
    return y;
  }

  const bf16* Keep(const bf16* x, const KeptImages& kept) override {
    x_ = x;
    kept.Gather(y_.data(), shape_.images * shape_.out);
    shape_.images = kept.count();
    return y_.data();
  }

  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass&) override {
    ReluAndBiasGradient({shape_.images, shape_.out}, relu_ ? y_.data() : nullptr, dy, scratch_);
    if (WeightLearns()) {
      DenseWeightGradient(shape_, x_, dy, weight_gradient(), scratch_);
      SetWeightGradient();
    }
    if (dx_wanted) DenseDataGradient(shape_, dy, half_.data(), spare, scratch_);
    return spare;
  }

  void ParametersChanged() override { stale_ = turned_stale_ = true; }
  int64_t products() const override { return shape_.in * shape_.out; }

 private:
  bool relu_;
  kernels::Scratch& scratch_;
  kernels::DenseShape shape_;
  bool stale_ = true;
  bool turned_stale_ = true;
  const bf16* x_ = nullptr;
  Buffer<bf16> half_, turned_, y_;
};

}  // namespace

std::unique_ptr<Op> MakeDenseOp(Layer& dense, const DenseStep& step, kernels::Scratch& scratch) {
  return std::make_unique<DenseOp>(dense, step, scratch);
}

}  // namespace spotter
