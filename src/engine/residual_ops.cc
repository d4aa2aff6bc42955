// SPDX-License-Identifier: Apache-2.0
#include "engine/residual_ops.h"

#include <ATen/Parallel.h>

#include <cstring>
#include <utility>

#include "kernels/add.h"

namespace spotter {
namespace {

class ResidualOp : public Op {
 public:
  ResidualOp(std::shared_ptr<Residual> residual, int64_t size, int threads)
      : residual_(std::move(residual)), size_(size), threads_(threads) {}

 protected:
  std::shared_ptr<Residual> residual_;
  int64_t size_;
  int threads_;
};

class SkipOp : public ResidualOp {
 public:
  using ResidualOp::ResidualOp;
  const bf16* Forward(const bf16* x, const Pass&) override { return residual_->x = x; }
  /// The input is another op's, which leaves it as it was where the pass does not go back so far.
  const bf16* Keep(const bf16* x, const KeptImages& kept) override {
    if (x != nullptr) return x;
    bf16* own = kept_x_.Get(kept.count() * size_);
    kept.Copy(residual_->x, own, kept.images() * size_);
    return own;
  }
  bf16* Backward(bf16* dy, bf16*, bool dx_wanted, const Pass& pass) override {
    if (dx_wanted) kernels::AddMaps(pass.images * size_, dy, residual_->gradient.data(), dy, threads_);
    return dy;
  }

 private:
  Buffer<bf16> kept_x_;
};

class AddOp : public ResidualOp {
 public:
  using ResidualOp::ResidualOp;
  const bf16* Forward(const bf16* x, const Pass& pass) override {
    const int64_t values = pass.images * size_;
    bf16* y = y_.Get(values);
    kernels::AddMaps(values, x, residual_->x, y, threads_);
    if (pass.training) residual_->gradient.Get(values);
    return y;
  }
  const bf16* Keep(const bf16*, const KeptImages& kept) override {
    kept.Gather(y_.data(), kept.images() * size_);
    return y_.data();
  }
  /// Both inputs have the output's gradient.
  bf16* Backward(bf16* dy, bf16*, bool, const Pass& pass) override {
    constexpr int64_t kGrain = 1 << 16;
    bf16* gradient = residual_->gradient.data();
    at::parallel_for(0, pass.images * size_, kGrain, [&](int64_t begin, int64_t end) {
      std::memcpy(gradient + begin, dy + begin, static_cast<size_t>(end - begin) * sizeof(bf16));
    });
    return dy;
  }

 private:
  Buffer<bf16> y_;
};

}  // namespace

std::unique_ptr<Op> MakeSkipOp(std::shared_ptr<Residual> residual, const FeatureShape& shape, int threads) {
  return std::make_unique<SkipOp>(std::move(residual), shape.size(), threads);
}
std::unique_ptr<Op> MakeAddOp(std::shared_ptr<Residual> residual, const FeatureShape& shape, int threads) {
  return std::make_unique<AddOp>(std::move(residual), shape.size(), threads);
}

}  // namespace spotter
