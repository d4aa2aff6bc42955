// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <algorithm>
#include <map>
#include <optional>
#include <type_traits>
#include <variant>

#include "base/stopwatch.h"
#include "engine/residual_ops.h"
#include "kernels/cpu.h"

namespace spotter {
namespace {

/// Of the skips so far.
using Residuals = std::map<const SkipSlot*, std::shared_ptr<Residual>>;

std::unique_ptr<Op> MakeOp(const Step& step, kernels::Scratch& scratch, Residuals& residuals) {
  return std::visit(
      [&](const auto& kind) -> std::unique_ptr<Op> {
        using Kind = std::decay_t<decltype(kind)>;
        Layer& layer = *step.layer;
        if constexpr (std::is_same_v<Kind, ConvStep>) return MakeConvOp(layer, kind, scratch);
        if constexpr (std::is_same_v<Kind, PatchConvStep>) return MakePatchConvOp(layer, kind, scratch);
        if constexpr (std::is_same_v<Kind, NormStep>) return MakeNormOp(layer, kind, scratch);
        if constexpr (std::is_same_v<Kind, ActivationStep>) return MakeActivationOp(kind, step.input, scratch);
        if constexpr (std::is_same_v<Kind, MaxPoolStep>) return MakeMaxPoolOp(kind, scratch.threads());
        if constexpr (std::is_same_v<Kind, DropoutStep>)
          return MakeDropoutOp(kind, step.input, step.place, scratch.threads());
        if constexpr (std::is_same_v<Kind, DenseStep>) return MakeDenseOp(layer, kind, scratch);
        if constexpr (std::is_same_v<Kind, SkipStep>) {
          residuals[kind.slot] = std::make_shared<Residual>();
          return MakeSkipOp(residuals[kind.slot], step.input, scratch.threads());
        }
        if constexpr (std::is_same_v<Kind, AddStep>)
          return MakeAddOp(residuals.at(kind.slot), step.input, scratch.threads());
        if constexpr (std::is_same_v<Kind, LayerStep>) return MakeLayerOp(layer, step.input);
      },
      step.kind);
}

/// Whether a parameter of an op is trained; `kernel`: one that multiplies.
bool Learns(const Op& op, bool kernel) {
  const auto parameters = op.parameters();
  return std::any_of(parameters.begin(), parameters.end(), [&](const Parameter* parameter) {
    return parameter->value.requires_grad() && (!kernel || parameter->value.dim() > 1);
  });
}

}  // namespace

bool Engine::RunsHere() { return kernels::CpuHasAvx512Bf16(); }

Engine::Engine(const Network& network, int threads)
    : scratch_(threads), classes_(network.classes()), largest_(network.input_shape().size()) {
  Residuals residuals;
  for (const Step& step : PlanOf(network)) {
    ops_.push_back(MakeOp(step, scratch_, residuals));
    costs_.push_back({.name = step.name});
  }
  for (const auto& layer : network.layers()) largest_ = std::max(largest_, layer->output_shape().size());
}

at::Tensor Engine::Forward(const at::Tensor& images, const Pass& pass) {
  pass_ = pass;
  x_ = images.contiguous(at::MemoryFormat::ChannelsLast);
  const auto* x = reinterpret_cast<const bf16*>(x_.const_data_ptr());
  for (size_t i = 0; i < ops_.size(); ++i) {
    const Stopwatch watch;
    x = ops_[i]->Forward(x, pass);
    costs_[i].forward_seconds += watch.Seconds();
    costs_[i].forward_products += static_cast<double>(ops_[i]->products() * pass.images);
  }
  at::Tensor logits = at::empty({pass.images, classes_});
  auto* out = logits.data_ptr<float>();
  for (int64_t i = 0; i < pass.images * classes_; ++i) out[i] = kernels::ToFloat(x[i]);
  return logits;
}

void Engine::Keep(size_t first, const KeptImages& kept) {
  const bf16* x = nullptr;
  if (first == 0) {
    bf16* own = kept_x_.Get(kept.count() * x_.numel() / kept.images());
    kept.Copy(reinterpret_cast<const bf16*>(x_.const_data_ptr()), own, x_.numel());
    x = own;
  }
  for (size_t i = first == 0 ? 0 : first - 1; i < ops_.size(); ++i) {
    const Stopwatch watch;
    x = ops_[i]->Keep(x, kept);
    costs_[i].backward_seconds += watch.Seconds();
  }
  pass_.images = kept.count();
}

void Engine::Backward(const at::Tensor& gradient, std::span<const int64_t> kept) {
  const auto first =
      std::find_if(ops_.begin(), ops_.end(), [](const auto& op) { return Learns(*op, false); }) - ops_.begin();
  bf16* buffers[2] = {gradients_[0].Get(pass_.images * largest_), gradients_[1].Get(pass_.images * largest_)};
  bf16* dy = buffers[0];
  at::Tensor in_order = gradient.contiguous();
  std::optional<KeptImages> images;  // the ops may ask it as long as they go back
  if (!kept.empty() && static_cast<int64_t>(kept.size()) < pass_.images) {
    images.emplace(pass_.images, kept);
    Keep(static_cast<size_t>(first), *images);
    in_order = in_order.index_select(0, images->order());
  }
  const float* values = in_order.const_data_ptr<float>();
  for (int64_t i = 0; i < pass_.images * classes_; ++i) dy[i] = kernels::ToBf16(values[i]);
  for (auto i = static_cast<std::ptrdiff_t>(ops_.size()) - 1; i >= first; --i) {
    const Stopwatch watch;
    Op& op = *ops_[static_cast<size_t>(i)];
    StepCost& cost = costs_[static_cast<size_t>(i)];
    bf16* spare = dy == buffers[0] ? buffers[1] : buffers[0];
    dy = op.Backward(dy, spare, /*dx_wanted=*/i > first, pass_);
    cost.backward_seconds += watch.Seconds();
    const int64_t products = (i > first ? 1 : 0) + (Learns(op, /*kernel=*/true) ? 1 : 0);
    cost.backward_products += static_cast<double>(products * op.products() * pass_.images);
  }
}

void Engine::ParametersChanged() {
  for (const auto& op : ops_) op->ParametersChanged();
}

}  // namespace spotter
