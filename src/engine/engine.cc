// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <algorithm>
#include <chrono>

#include "kernels/cpu.h"

namespace spotter {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

template <typename Spec>
const Spec* As(const Layer* layer) {
  return layer != nullptr ? std::get_if<Spec>(&layer->spec()) : nullptr;
}
bool IsRelu(const Activation* activation) { return activation != nullptr && activation->name == "relu"; }

/// Whether the windows lie side by side, without padding.
bool IsPlainPool(const MaxPoolSpec* pool, int64_t least, int64_t most) {
  return pool != nullptr && pool->window.kernel_height == pool->window.kernel_width &&
         pool->window.stride == pool->window.kernel_height && pool->window.padding == Padding::kValid &&
         pool->window.stride >= least && pool->window.stride <= most;
}

/// Turns layers into ops, joining what one kernel computes.
class Planner {
 public:
  Planner(const Network& network, kernels::Scratch& scratch) : scratch_(scratch), shape_(network.input_shape()) {
    for (const auto& layer : network.layers()) layers_.push_back(layer.get());
  }
  std::vector<std::unique_ptr<Op>> Plan() {
    while (At(0) != nullptr) Next();
    return std::move(ops_);
  }

 private:
  Layer* At(size_t ahead) const { return next_ + ahead < layers_.size() ? layers_[next_ + ahead] : nullptr; }

  /// The op of the next `count` layers.
  void Add(std::unique_ptr<Op> op, size_t count) {
    std::string name;
    for (size_t i = 0; i < count; ++i) name += (i > 0 ? " + " : "") + At(i)->name();
    op->set_name(std::move(name));
    shape_ = At(count - 1)->output_shape();
    next_ += count;
    ops_.push_back(std::move(op));
  }

  void Next() {
    Layer& layer = *At(0);
    if (const auto* conv = As<ConvSpec>(&layer)) {
      if (HasPatchKernel(*conv)) return AddPatchConv(*conv);
      if (HasConvKernel(*conv)) return AddConv(*conv);
    }
    if (As<BatchNormSpec>(&layer) != nullptr) return AddNorm(layer);
    if (const auto* pool = As<MaxPoolSpec>(&layer); IsPlainPool(pool, 2, kLargestPool))
      return Add(MakeMaxPoolOp(shape_, pool->window.stride, scratch_.threads()), 1);
    if (const auto* dropout = As<DropoutSpec>(&layer))
      return Add(MakeDropoutOp(shape_, dropout->rate, next_, scratch_.threads()), 1);
    if (const auto* dense = As<DenseSpec>(&layer); dense != nullptr && HasConvActivation(dense->activation))
      return AddDense(*dense);
    if (const auto* act = As<ActivationSpec>(&layer);
        act != nullptr && KernelOf(*act->activation) != kernels::Act::kNone)
      return Add(MakeActivationOp(*act->activation, shape_, scratch_), 1);
    if (As<FlattenSpec>(&layer) != nullptr) {  // the values lie as they should
      shape_ = layer.output_shape();
      ++next_;
      return;
    }
    Add(MakeLayerOp(layer, shape_), 1);
  }

  static constexpr int64_t kLargestPool = 15;

  /// With the activation behind it, and a pool behind none or ReLU: that of the larger value is the larger one.
  void AddNorm(Layer& norm) {
    const auto* next = As<ActivationSpec>(At(1));
    const kernels::Act act = next != nullptr ? KernelOf(*next->activation) : kernels::Act::kNone;
    const size_t count = act != kernels::Act::kNone ? 2 : 1;
    const auto* pool = As<MaxPoolSpec>(At(count));
    const bool pooled =
        (act == kernels::Act::kNone || act == kernels::Act::kRelu) && IsPlainPool(pool, 2, kLargestPool);
    Add(MakeNormOp(norm, act, pooled ? pool->window.stride : 1, scratch_), pooled ? count + 1 : count);
  }

  static bool HasConvActivation(const Activation* activation) {
    return activation == nullptr || activation->name == "relu";
  }
  static bool HasConvKernel(const ConvSpec& conv) {
    return conv.window.kernel_height == 3 && conv.window.kernel_width == 3 && conv.window.stride == 1 &&
           HasConvActivation(conv.activation);
  }

  static kernels::Act KernelOrNone(const Activation* activation) {
    return activation != nullptr ? KernelOf(*activation) : kernels::Act::kNone;
  }
  bool HasPatchKernel(const ConvSpec& conv) const {
    constexpr int64_t kFewChannels = 4;
    const Window& window = conv.window;
    const bool even_padding = window.padding == Padding::kSame && window.kernel_height % 2 == 0;  // one-sided
    return next_ == 0 && shape_.channels <= kFewChannels && window.kernel_height == window.kernel_width &&
           window.stride == 1 && !even_padding &&
           (conv.activation == nullptr || KernelOf(*conv.activation) != kernels::Act::kNone);
  }

  /// With the activation behind it.
  void AddPatchConv(const ConvSpec& conv) {
    const auto* act = As<ActivationSpec>(At(1));
    const bool joined =
        conv.activation == nullptr && act != nullptr && KernelOf(*act->activation) != kernels::Act::kNone;
    Add(MakePatchConvOp(*At(0), shape_, KernelOrNone(joined ? act->activation : conv.activation), scratch_),
        joined ? 2 : 1);
  }

  /// With the ReLU and the pool behind it: the larger of two values stays so when both are cut off at 0.
  void AddConv(const ConvSpec& conv) {
    size_t count = 1;
    ConvOptions options{.relu = IsRelu(conv.activation)};
    if (const auto* act = As<ActivationSpec>(At(count)); !options.relu && act != nullptr && IsRelu(act->activation)) {
      options.relu = true;
      ++count;
    }
    if (IsPlainPool(As<MaxPoolSpec>(At(count)), 2, 2)) {
      options.pool = true;
      ++count;
    }
    Add(MakeConvOp(*At(0), shape_, options, scratch_), count);
  }
  void AddDense(const DenseSpec& dense) {
    const auto* act = As<ActivationSpec>(At(1));
    const bool joined = dense.activation == nullptr && act != nullptr && IsRelu(act->activation);
    Add(MakeDenseOp(*At(0), shape_, joined || IsRelu(dense.activation), scratch_), joined ? 2 : 1);
  }

  kernels::Scratch& scratch_;
  FeatureShape shape_;
  std::vector<Layer*> layers_;
  size_t next_ = 0;
  std::vector<std::unique_ptr<Op>> ops_;
};

bool Learns(const Op& op) {
  const auto parameters = op.parameters();
  return std::any_of(parameters.begin(), parameters.end(),
                     [](const Parameter* parameter) { return parameter->value.requires_grad(); });
}

}  // namespace

bool Engine::RunsHere() { return kernels::CpuHasAvx512Bf16(); }

Engine::Engine(const Network& network, int threads)
    : scratch_(threads), classes_(network.classes()), largest_(network.input_shape().size()) {
  ops_ = Planner(network, scratch_).Plan();
  for (const auto& op : ops_) costs_.push_back({.name = op->name()});
  for (const auto& layer : network.layers()) largest_ = std::max(largest_, layer->output_shape().size());
}

at::Tensor Engine::Forward(const at::Tensor& images, const Pass& pass) {
  pass_ = pass;
  x_ = images.contiguous(at::MemoryFormat::ChannelsLast);
  const auto* x = reinterpret_cast<const bf16*>(x_.const_data_ptr());
  for (size_t i = 0; i < ops_.size(); ++i) {
    const auto begin = Clock::now();
    x = ops_[i]->Forward(x, pass);
    costs_[i].forward_seconds += SecondsSince(begin);
    costs_[i].forward_products += static_cast<double>(ops_[i]->products() * pass.images);
  }
  at::Tensor logits = at::empty({pass.images, classes_});
  auto* out = logits.data_ptr<float>();
  for (int64_t i = 0; i < pass.images * classes_; ++i) out[i] = kernels::ToFloat(x[i]);
  return logits;
}

void Engine::Backward(const at::Tensor& gradient) {
  const auto first = std::find_if(ops_.begin(), ops_.end(), [](const auto& op) { return Learns(*op); }) - ops_.begin();
  bf16* buffers[2] = {gradients_[0].Get(pass_.images * largest_), gradients_[1].Get(pass_.images * largest_)};
  bf16* dy = buffers[0];
  const float* values = gradient.const_data_ptr<float>();
  for (int64_t i = 0; i < pass_.images * classes_; ++i) dy[i] = kernels::ToBf16(values[i]);
  for (auto i = static_cast<std::ptrdiff_t>(ops_.size()) - 1; i >= first; --i) {
    const auto begin = Clock::now();
    Op& op = *ops_[static_cast<size_t>(i)];
    StepCost& cost = costs_[static_cast<size_t>(i)];
    bf16* spare = dy == buffers[0] ? buffers[1] : buffers[0];
    dy = op.Backward(dy, spare, /*dx_wanted=*/i > first, pass_);
    cost.backward_seconds += SecondsSince(begin);
    cost.backward_products += static_cast<double>(op.products() * pass_.images * (i > first ? 2 : 1));
  }
}

void Engine::ParametersChanged() {
  for (const auto& op : ops_) op->ParametersChanged();
}

}  // namespace spotter
