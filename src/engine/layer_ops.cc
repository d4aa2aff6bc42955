// SPDX-License-Identifier: Apache-2.0
// What our kernels don't know: any layer by its own Forward and libtorch's autograd.
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "engine/op.h"

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
    kept_ = nullptr;
    return Data(plain_);
  }
  /// Autograd goes back over all images, the others' gradient being 0. What it remembers stays as it is; the input may
  /// be changed where the others were, which then counts for nothing.
  const bf16* Keep(const bf16*, const KeptImages& kept) override {
    kept_ = &kept;
    kept_plain_ = Ordered(plain_.index_select(0, kept.order()));
    return Data(kept_plain_);
  }
  bf16* Backward(bf16* dy, bf16*, bool dx_wanted, const Pass& pass) override {
    const at::AutoGradMode record(true);
    for (Parameter& parameter : layer_.parameters()) parameter.value.mutable_grad().reset();
    const at::Tensor gradient = View(dy, pass.images, layer_.output_shape());
    y_.backward(kept_ != nullptr ? at::zeros_like(y_).index_copy_(0, kept_->order(), gradient) : gradient);
    y_.reset();
    if (!dx_wanted) return dy;
    dx_ = Ordered(x_.grad());
    if (kept_ != nullptr) kept_->Gather(MutableData(dx_), dx_.numel());
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
  const KeptImages* kept_ = nullptr;  // null: all
  at::Tensor x_, y_, plain_, kept_plain_, dx_;
};

}  // namespace

std::unique_ptr<Op> MakeLayerOp(Layer& layer, const FeatureShape& input) {
  return std::make_unique<LayerOp>(layer, input);
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
