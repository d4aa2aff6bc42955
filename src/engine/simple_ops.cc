// SPDX-License-Identifier: Apache-2.0
// The ops without parameters: activations, max pool, dropout.
#include "engine/buffer.h"
#include "engine/op.h"
#include "kernels/norm.h"
#include "kernels/pool.h"

namespace spotter {
namespace {

class ActivationOp : public Op {
 public:
  ActivationOp(kernels::Act act, const FeatureShape& shape, kernels::Scratch& scratch)
      : act_(act), shape_(shape), scratch_(scratch) {}
  const bf16* Forward(const bf16* x, const Pass& pass) override {
    x_ = x;
    bf16* y = y_.Get(pass.images * shape_.size());
    ScaleShiftAct(Rows(pass), x, nullptr, nullptr, act_, y, scratch_);
    return y;
  }
  const bf16* Keep(const bf16* x, const KeptImages& kept) override {
    x_ = x;
    kept.Gather(y_.data(), kept.images() * shape_.size());
    return y_.data();
  }
  bf16* Backward(bf16* dy, bf16*, bool dx_wanted, const Pass& pass) override {
    if (dx_wanted) ActGradient(Rows(pass), x_, dy, nullptr, nullptr, nullptr, nullptr, act_, dy, scratch_);
    return dy;
  }

 private:
  kernels::RowShape Rows(const Pass& pass) const {
    return {pass.images * shape_.size() / shape_.channels, shape_.channels};
  }
  kernels::Act act_;
  FeatureShape shape_;
  kernels::Scratch& scratch_;
  const bf16* x_ = nullptr;
  Buffer<bf16> y_;
};

class MaxPoolOp : public Op {
 public:
  MaxPoolOp(const kernels::PoolShape& shape, int threads) : shape_(shape), threads_(threads) {}
  const bf16* Forward(const bf16* x, const Pass& pass) override {
    shape_.images = pass.images;
    bf16* y = y_.Get(shape_.out_values());
    MaxPool(shape_, x, y, pass.training ? place_.Get(shape_.out_values()) : nullptr, threads_);
    return y;
  }
  const bf16* Keep(const bf16*, const KeptImages& kept) override {
    const int64_t values = shape_.out_values();
    kept.Gather(y_.data(), values);
    kept.Gather(place_.data(), values);
    shape_.images = kept.count();
    return y_.data();
  }
  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass&) override {
    if (dx_wanted) MaxPoolGradient(shape_, dy, place_.data(), spare, threads_);
    return spare;
  }

 private:
  kernels::PoolShape shape_;
  int threads_;
  Buffer<bf16> y_;
  Buffer<uint8_t> place_;
};

class DropoutOp : public Op {
 public:
  DropoutOp(const FeatureShape& shape, double rate, uint64_t place, int threads)
      : size_(shape.size()), rate_(rate), place_(place), threads_(threads) {}
  const bf16* Forward(const bf16* x, const Pass& pass) override {
    kept_ = nullptr;
    if (!pass.training) return x;
    bf16* y = y_.Get(pass.images * size_);
    kernels::Dropout(pass.images * size_, x, rate_, Seed(pass), y, threads_);
    return y;
  }
  const bf16* Keep(const bf16*, const KeptImages& kept) override {
    kept_ = &kept;
    kept.Gather(y_.data(), kept.images() * size_);
    return y_.data();
  }
  bf16* Backward(bf16* dy, bf16*, bool dx_wanted, const Pass& pass) override {
    if (!dx_wanted) return dy;
    const int64_t values = (kept_ != nullptr ? kept_->images() : pass.images) * size_;
    // What is dropped depends on a value's place in the batch.
    if (kept_ != nullptr) kept_->Scatter(dy, values);
    kernels::Dropout(values, dy, rate_, Seed(pass), dy, threads_);
    if (kept_ != nullptr) kept_->Gather(dy, values);
    return dy;
  }

 private:
  uint64_t Seed(const Pass& pass) const { return pass.seed ^ (place_ * 0x9e3779b97f4a7c15u); }
  int64_t size_;
  double rate_;
  uint64_t place_;
  int threads_;
  const KeptImages* kept_ = nullptr;  // null: all
  Buffer<bf16> y_;
};

}  // namespace

std::unique_ptr<Op> MakeActivationOp(const ActivationStep& step, const FeatureShape& shape, kernels::Scratch& scratch) {
  return std::make_unique<ActivationOp>(step.act, shape, scratch);
}
std::unique_ptr<Op> MakeMaxPoolOp(const MaxPoolStep& step, int threads) {
  return std::make_unique<MaxPoolOp>(step.shape, threads);
}
std::unique_ptr<Op> MakeDropoutOp(const DropoutStep& step, const FeatureShape& shape, uint64_t place, int threads) {
  return std::make_unique<DropoutOp>(shape, step.rate, place, threads);
}

}  // namespace spotter
