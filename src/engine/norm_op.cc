// SPDX-License-Identifier: Apache-2.0
// Batch normalisation with the activation, and the pool, behind it.
#include <cmath>

#include "engine/buffer.h"
#include "engine/op.h"
#include "kernels/norm.h"
#include "kernels/norm_pool.h"

namespace spotter {
namespace {

class NormOp : public Op {
 public:
  NormOp(Layer& norm, kernels::Act act, int64_t pool, kernels::Scratch& scratch)
      : spec_(std::get<BatchNormSpec>(norm.spec())),
        shape_(norm.output_shape()),
        act_(act),
        pool_{.height = shape_.height, .width = shape_.width, .channels = shape_.channels, .size = pool},
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
    const kernels::RowShape rows = Rows(pass);
    if (pass.training) {
      ChannelMoments(rows, x, mean_.data(), variance_.data(), scratch_);
      MoveAverages(rows.rows);
    } else {
      std::copy_n(Values(running_mean_), channels(), mean_.data());
      std::copy_n(Values(running_variance_), channels(), variance_.data());
    }
    for (int64_t c = 0; c < channels(); ++c) {
      factor_.data()[c] = Scale(c) * InverseDeviation(c);
      shift_.data()[c] = Values(bias_)[c] - mean_.data()[c] * factor_.data()[c];
    }
    if (!pooled()) {
      bf16* y = y_.Get(pass.images * shape_.size());
      ScaleShiftAct(rows, x, factor_.data(), shift_.data(), act_, y, scratch_);
      return y;
    }
    pool_.images = pass.images;
    const int64_t values = pool_.out_values();
    bf16* y = y_.Get(values);
    NormMaxPool(pool_, x, factor_.data(), shift_.data(), act_, y, pass.training ? best_.Get(values) : nullptr,
                pass.training ? place_.Get(values) : nullptr, scratch_.threads());
    return y;
  }

  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass& pass) override {
    const kernels::RowShape rows = Rows(pass);
    auto* sum = bias_gradient_.data_ptr<float>();
    float* sum_x = by_x_.data();
    // What is not a maximum has no gradient, and adds nothing.
    const kernels::RowShape summed = pooled() ? kernels::RowShape{pool_.out_values() / channels(), channels()} : rows;
    GradientSums(summed, pooled() ? best_.data() : x_, dy, factor_.data(), shift_.data(), mean_.data(), act_, sum,
                 sum_x, scratch_);
    // dx = factor * (dz - mean(dz) - normalised x * mean(dz * normalised x)), sorted by x.
    const auto n = static_cast<float>(rows.rows);
    for (int64_t c = 0; c < channels(); ++c) {
      const float scale_gradient = sum_x[c] * InverseDeviation(c);
      if (scale_ != nullptr) scale_gradient_.data_ptr<float>()[c] = scale_gradient;
      by_x_.data()[c] = -factor_.data()[c] * scale_gradient * InverseDeviation(c) / n;
      constant_.data()[c] = -factor_.data()[c] * sum[c] / n - by_x_.data()[c] * mean_.data()[c];
    }
    if (scale_ != nullptr) SetGradient(*scale_, scale_gradient_);
    SetGradient(bias_, bias_gradient_);
    if (!dx_wanted) return dy;
    if (pooled()) {
      NormMaxPoolGradient(pool_, x_, dy, best_.data(), place_.data(), factor_.data(), shift_.data(), by_x_.data(),
                          constant_.data(), act_, spare, scratch_.threads());
      return spare;
    }
    ActGradient(rows, x_, dy, factor_.data(), shift_.data(), by_x_.data(), constant_.data(), act_, dy, scratch_);
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
  bool pooled() const { return pool_.size > 1; }
  kernels::RowShape Rows(const Pass& pass) const { return {pass.images * shape_.size() / channels(), channels()}; }
  float Scale(int64_t c) const { return scale_ != nullptr ? Values(*scale_)[c] : 1; }
  float InverseDeviation(int64_t c) const {
    return static_cast<float>(1 / std::sqrt(double{variance_.data()[c]} + spec_.epsilon));
  }
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
  FeatureShape shape_;
  kernels::Act act_;
  kernels::PoolShape pool_;
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

std::unique_ptr<Op> MakeNormOp(Layer& norm, kernels::Act act, int64_t pool, kernels::Scratch& scratch) {
  return std::make_unique<NormOp>(norm, act, pool, scratch);
}

}  // namespace spotter
