// SPDX-License-Identifier: Apache-2.0
// A 3x3 convolution with bias, ReLU and 2x2 max pool, in one kernel each way.
#include "engine/buffer.h"
#include "engine/weighted_op.h"
#include "kernels/conv.h"

namespace spotter {
namespace {

class ConvOp : public WeightedOp {
 public:
  ConvOp(Layer& conv, const ConvStep& step, kernels::Scratch& scratch)
      : WeightedOp(conv), relu_(step.relu), scratch_(scratch), shape_(step.shape) {}

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    shape_.images = pass.images;
    x_ = x;
    if (packed_stale_) {
      PackConvForward(shape_, weight(), packed_.Get(kernels::ConvPackedSize(shape_.in, shape_.out)),
                      scratch_.threads());
      packed_stale_ = false;
    }
    y_.Get(shape_.out_size());
    ConvForward(shape_, x, packed_.data(), {.bias = bias(), .relu = relu_}, y_.data(),
                pass.training && shape_.pool ? argmax_.Get(ArgmaxWords(shape_)) : nullptr, scratch_);
    return y_.data();
  }

  const bf16* Keep(const bf16* x, const KeptImages& kept) override {
    x_ = x;
    kept.Gather(y_.data(), shape_.out_size());
    if (shape_.pool) kept.Gather(argmax_.data(), ArgmaxWords(shape_));
    shape_.images = kept.count();
    return y_.data();
  }

  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass&) override {
    ReluAndBiasGradient({shape_.out_pixels(), shape_.out}, relu_ ? y_.data() : nullptr, dy, scratch_);
    if (WeightLearns()) {
      ConvWeightGradient(shape_, x_, dy, argmax_.data(), weight_gradient(), scratch_);
      SetWeightGradient();
    }
    if (dx_wanted) {
      bf16* packed = packed_back_.Get(kernels::ConvPackedSize(shape_.out, shape_.in));
      PackConvDataGradient(shape_, weight(), packed, scratch_.threads());
      ConvDataGradient(shape_, dy, argmax_.data(), packed, spare, scratch_);
    }
    return spare;
  }

  void ParametersChanged() override { packed_stale_ = true; }
  int64_t products() const override { return shape_.products() / std::max<int64_t>(shape_.images, 1); }

 private:
  bool relu_;
  kernels::Scratch& scratch_;
  kernels::ConvShape shape_;
  bool packed_stale_ = true;
  const bf16* x_ = nullptr;
  Buffer<bf16> packed_, packed_back_, y_;
  Buffer<uint32_t> argmax_;
};

}  // namespace

std::unique_ptr<Op> MakeConvOp(Layer& conv, const ConvStep& step, kernels::Scratch& scratch) {
  return std::make_unique<ConvOp>(conv, step, scratch);
}

}  // namespace spotter
