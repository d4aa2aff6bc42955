// SPDX-License-Identifier: Apache-2.0
// Batch normalisation with the activation, and the pool, behind it.
#include <algorithm>

#include "engine/buffer.h"
#include "engine/op.h"
#include "kernels/norm.h"
#include "kernels/norm_pool.h"

namespace spotter {
namespace {

class NormOp : public Op {
 public:
  NormOp(Layer& norm, const NormStep& step, kernels::Scratch& scratch)
      : spec_(std::get<BatchNormSpec>(norm.spec())),
        act_(step.act),
        shape_(step.shape),
        scratch_(scratch),
        scale_(FindParameter(norm, "weight")),
        bias_(*FindParameter(norm, "bias")),
        running_mean_(*FindParameter(norm, "running_mean")),
        running_variance_(*FindParameter(norm, "running_var")) {
    if (scale_ != nullptr) scale_gradient_ = at::empty_like(scale_->value.detach());
    bias_gradient_ = at::empty_like(bias_.value.detach());
    for (Buffer<float>* buffer : {&mean_, &variance_, &factor_, &shift_, &by_x_, &constant_}) buffer->Get(channels());
  }

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    x_ = x;
    shape_.images = pass.images;
    const kernels::RowShape rows = Rows();
    mean_rows_ = static_cast<double>(rows.rows);
    if (pass.training) {
      ChannelMoments(rows, x, mean_.data(), variance_.data(), scratch_);
      MoveAverages(rows.rows);
    } else {
      std::copy_n(Values(running_mean_), channels(), mean_.data());
      std::copy_n(Values(running_variance_), channels(), variance_.data());
    }
    kernels::NormFactors(channels(), mean_.data(), variance_.data(), scale_ != nullptr ? Values(*scale_) : nullptr,
                         Values(bias_), spec_.epsilon, factor_.data(), shift_.data());
    const int64_t values = shape_.out_values();
    bf16* y = y_.Get(values);
    if (!pooled()) {
      ScaleShiftAct(rows, x, factor_.data(), shift_.data(), act_, y, scratch_);
      return y;
    }
    NormMaxPool(shape_, x, factor_.data(), shift_.data(), act_, y, pass.training ? best_.Get(values) : nullptr,
                pass.training ? place_.Get(values) : nullptr, scratch_.threads());
    return y;
  }

  /// The moments stay the whole batch's. By way of them every image has a gradient; that of the others is missing, and
  /// the kept images stand for them: the means of the backward pass are over the rows kept. One image stands for four
  /// at most: few say little of many, and what each adds to the means would turn its own gradient round.
  const bf16* Keep(const bf16* x, const KeptImages& kept) override {
    x_ = x;
    const int64_t values = shape_.out_values();
    kept.Gather(y_.data(), values);
    kept.Gather(best_.data(), values);
    kept.Gather(place_.data(), values);
    const int64_t whole = Rows().rows;
    shape_.images = kept.count();
    mean_rows_ = std::max(static_cast<double>(Rows().rows), static_cast<double>(whole) / 4);
    return y_.data();
  }

  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass&) override {
    const kernels::RowShape rows = Rows();
    auto* sum = bias_gradient_.data_ptr<float>();
    // What is not a maximum has no gradient, and adds nothing.
    const kernels::RowShape summed = pooled() ? kernels::RowShape{shape_.out_values() / channels(), channels()} : rows;
    bf16* dz = IsSmooth(act_) && !pooled() ? dy : nullptr;  // computed once, for both passes
    GradientSums(summed, pooled() ? best_.data() : x_, dy, factor_.data(), shift_.data(), mean_.data(), act_, sum,
                 by_x_.data(), dz, scratch_);
    kernels::NormGradientFactors(channels(), mean_rows_, mean_.data(), variance_.data(), spec_.epsilon, factor_.data(),
                                 sum, by_x_.data(), by_x_.data(), constant_.data(),
                                 scale_ != nullptr ? scale_gradient_.data_ptr<float>() : nullptr);
    if (scale_ != nullptr) SetGradient(*scale_, scale_gradient_);
    SetGradient(bias_, bias_gradient_);
    if (!dx_wanted) return dy;
    if (pooled()) {
      NormMaxPoolGradient(shape_, x_, dy, best_.data(), place_.data(), factor_.data(), shift_.data(), by_x_.data(),
                          constant_.data(), act_, spare, scratch_.threads());
      return spare;
    }
    ActGradient(rows, x_, dy, factor_.data(), shift_.data(), by_x_.data(), constant_.data(),
                dz != nullptr ? kernels::Act::kNone : act_, dy, scratch_);
    return dy;
  }

  std::vector<Parameter*> parameters() const override {
    std::vector<Parameter*> all = {&bias_, &running_mean_, &running_variance_};
    if (scale_ != nullptr) all.push_back(scale_);
    return all;
  }

 private:
  static const float* Values(const Parameter& parameter) { return parameter.value.const_data_ptr<float>(); }
  int64_t channels() const { return shape_.channels; }
  bool pooled() const { return shape_.size > 1; }
  kernels::RowShape Rows() const { return {shape_.images * shape_.height * shape_.width, channels()}; }
  /// The moving variance takes the unbiased one, as PyTorch's; one value a channel has none and leaves them as they
  /// are.
  void MoveAverages(int64_t rows) {
    if (rows < 2) return;
    const auto kept = static_cast<float>(spec_.momentum);
    const float unbiased = static_cast<float>(rows) / static_cast<float>(rows - 1);
    auto* mean = running_mean_.value.data_ptr<float>();
    auto* variance = running_variance_.value.data_ptr<float>();
    for (int64_t c = 0; c < channels(); ++c) {
      mean[c] = kept * mean[c] + (1 - kept) * mean_.data()[c];
      variance[c] = kept * variance[c] + (1 - kept) * unbiased * variance_.data()[c];
    }
  }

  BatchNormSpec spec_;
  kernels::Act act_;
  kernels::PoolShape shape_;
  double mean_rows_ = 0;  // that the means of the backward pass are taken over
  kernels::Scratch& scratch_;
  Parameter* scale_;
  Parameter& bias_;
  Parameter& running_mean_;
  Parameter& running_variance_;
  const bf16* x_ = nullptr;
  Buffer<float> mean_, variance_, factor_, shift_, by_x_, constant_;
  Buffer<bf16> y_, best_;
  Buffer<uint8_t> place_;
  at::Tensor scale_gradient_, bias_gradient_;
};

}  // namespace

std::unique_ptr<Op> MakeNormOp(Layer& norm, const NormStep& step, kernels::Scratch& scratch) {
  return std::make_unique<NormOp>(norm, step, scratch);
}

}  // namespace spotter
