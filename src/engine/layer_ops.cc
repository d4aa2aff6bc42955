// SPDX-License-Identifier: Apache-2.0
// The ops that libtorch computes: dense layers by its products, and any other layer by its own Forward.
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "engine/buffer.h"
#include "engine/op.h"
#include "kernels/norm.h"

namespace spotter {
namespace {

/// Values in memory as the tensor that a layer expects: (N, C, H, W) in channels-last memory, or (N, units).
at::Tensor View(const bf16* values, int64_t images, const FeatureShape& shape) {
  auto* data = const_cast<bf16*>(values);  // nothing below writes to it
  const at::TensorOptions options = at::TensorOptions().dtype(at::kBFloat16);
  if (!shape.is_map()) return at::from_blob(data, {images, shape.channels}, options);
  return at::from_blob(data, {images, shape.height, shape.width, shape.channels}, options).permute({0, 3, 1, 2});
}

const bf16* Data(const at::Tensor& tensor) { return reinterpret_cast<const bf16*>(tensor.const_data_ptr()); }
bf16* MutableData(const at::Tensor& tensor) { return reinterpret_cast<bf16*>(tensor.data_ptr()); }

class LayerOp : public Op {
 public:
  LayerOp(Layer& layer, const FeatureShape& input) : layer_(layer), input_(input) {}

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    const at::AutoGradMode record(pass.training);
    x_ = View(x, pass.images, input_);
    if (pass.training) x_.requires_grad_();
    y_ = layer_.Forward(x_, {.training = pass.training, .precision = at::kBFloat16});
    plain_ = Ordered(y_);
    return Data(plain_);
  }
  bf16* Backward(bf16* dy, bf16*, bool dx_wanted, const Pass& pass) override {
    const at::AutoGradMode record(true);
    for (Parameter& parameter : layer_.parameters()) parameter.value.mutable_grad().reset();
    y_.backward(View(dy, pass.images, layer_.output_shape()));
    y_.reset();
    if (!dx_wanted) return dy;
    dx_ = Ordered(x_.grad());
    return MutableData(dx_);
  }
  int64_t products() const override { return layer_.flops() / 2; }
  std::vector<Parameter*> parameters() const override {
    std::vector<Parameter*> all;
    for (Parameter& parameter : layer_.parameters()) all.push_back(&parameter);
    return all;
  }

 private:
  static at::Tensor Ordered(const at::Tensor& values) {
    const at::Tensor plain = values.detach();
    return plain.contiguous(plain.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
  }
  Layer& layer_;
  FeatureShape input_;
  at::Tensor x_, y_, plain_, dx_;
};

class DenseOp : public Op {
 public:
  DenseOp(Layer& dense, const FeatureShape& input, bool relu, kernels::Scratch& scratch)
      : weight_(*FindParameter(dense, "weight")),
        bias_(FindParameter(dense, "bias")),
        in_(input.channels),
        out_(dense.output_shape().channels),
        relu_(relu),
        scratch_(scratch) {
    weight_gradient_ = at::empty_like(weight_.value.detach());
    half_ = at::empty_like(weight_.value.detach(), at::kBFloat16);
    half_gradient_ = at::empty_like(half_);
    bias_gradient_ = at::empty({out_});
  }

  const bf16* Forward(const bf16* x, const Pass& pass) override {
    const at::NoGradGuard no_grad;
    x_ = View(x, pass.images, {0, 0, in_});
    if (stale_) half_.copy_(weight_.value);
    stale_ = false;
    at::Tensor y = View(y_.Get(pass.images * out_), pass.images, {0, 0, out_});
    at::mm_out(y, x_, half_.t());
    const float* bias = bias_ != nullptr ? bias_->value.const_data_ptr<float>() : nullptr;
    if (bias != nullptr || relu_) {
      ScaleShiftAct({pass.images, out_}, y_.data(), nullptr, bias, relu_ ? kernels::Act::kRelu : kernels::Act::kNone,
                    y_.data(), scratch_);
    }
    return y_.data();
  }
  bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass& pass) override {
    const at::NoGradGuard no_grad;
    const kernels::RowShape rows{pass.images, out_};
    auto* sum = bias_gradient_.data_ptr<float>();
    if (relu_) {
      ReluGradient(rows, y_.data(), dy, sum, scratch_);
    } else if (bias_ != nullptr) {
      GradientSums(rows, dy, dy, nullptr, nullptr, nullptr, kernels::Act::kNone, sum, nullptr, scratch_);
    }
    const at::Tensor gradient = View(dy, pass.images, {0, 0, out_});
    at::mm_out(half_gradient_, gradient.t(), x_);
    weight_gradient_.copy_(half_gradient_);
    SetGradient(weight_, weight_gradient_);
    if (bias_ != nullptr) SetGradient(*bias_, bias_gradient_);
    if (dx_wanted) {
      at::Tensor dx = View(spare, pass.images, {0, 0, in_});
      at::mm_out(dx, gradient, half_);
    }
    return spare;
  }
  void ParametersChanged() override { stale_ = true; }
  int64_t products() const override { return in_ * out_; }
  std::vector<Parameter*> parameters() const override {
    return bias_ != nullptr ? std::vector<Parameter*>{&weight_, bias_} : std::vector<Parameter*>{&weight_};
  }

 private:
  Parameter& weight_;
  Parameter* bias_;
  int64_t in_;
  int64_t out_;
  bool relu_;
  kernels::Scratch& scratch_;
  bool stale_ = true;
  at::Tensor x_, half_, half_gradient_, weight_gradient_, bias_gradient_;
  Buffer<bf16> y_;
};

}  // namespace

std::unique_ptr<Op> MakeLayerOp(Layer& layer, const FeatureShape& input) {
  return std::make_unique<LayerOp>(layer, input);
}
std::unique_ptr<Op> MakeDenseOp(Layer& dense, const FeatureShape& input, bool relu, kernels::Scratch& scratch) {
  return std::make_unique<DenseOp>(dense, input, relu, scratch);
}

void SetGradient(Parameter& parameter, const at::Tensor& gradient) {
  if (parameter.value.requires_grad()) parameter.value.mutable_grad() = gradient;
}

Parameter* FindParameter(Layer& layer, std::string_view name) {
  for (Parameter& parameter : layer.parameters()) {
    if (parameter.name == fmt::format("{}.{}", layer.name(), name)) return &parameter;
  }
  return nullptr;
}

}  // namespace spotter
