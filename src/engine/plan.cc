// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <algorithm>

#include "models/activation.h"

namespace spotter {
namespace {

using kernels::Act;

template <typename Spec>
const Spec* As(const Layer* layer) {
  return layer != nullptr ? std::get_if<Spec>(&layer->spec()) : nullptr;
}

/// The kernel that computes an activation; kNone when there is none, or no activation.
Act KernelOf(const Activation* activation) {
  if (activation == nullptr) return Act::kNone;
  if (activation->name == "relu") return Act::kRelu;
  if (activation->name == "gelu") return Act::kGelu;
  if (activation->name == "silu") return Act::kSilu;
  return Act::kNone;
}
bool IsNoneOrRelu(const Activation* activation) { return activation == nullptr || KernelOf(activation) == Act::kRelu; }
bool IsSquare(const Window& window) { return window.kernel_height == window.kernel_width; }

/// The side of a pool's windows, where they lie side by side, without padding, and are small enough for the kernels; 1
/// for any other layer.
int64_t PlainPool(const Layer* layer) {
  constexpr int64_t kLargest = 15;  // a place in a window is a byte
  const auto* pool = As<MaxPoolSpec>(layer);
  const bool plain = pool != nullptr && IsSquare(pool->window) && pool->window.stride == pool->window.kernel_height &&
                     pool->window.padding == Padding::kValid && pool->window.stride <= kLargest;
  return plain ? pool->window.stride : 1;
}

kernels::ConvShape ConvShapeOf(const Layer& layer, const FeatureShape& input) {
  const Window& window = std::get<ConvSpec>(layer.spec()).window;
  return {.height = input.height,
          .width = input.width,
          .in = input.channels,
          .out = layer.output_shape().channels,
          .kernel = window.kernel_height,
          .pad = window.padding == Padding::kSame ? window.kernel_height / 2 : 0};
}

kernels::PoolShape PoolShapeOf(const FeatureShape& input, int64_t size) {
  return {0, std::max<int64_t>(input.height, 1), std::max<int64_t>(input.width, 1), input.channels, size};
}

class Planner {
 public:
  explicit Planner(const Network& network) : shape_(network.input_shape()) {
    for (const auto& layer : network.layers()) layers_.push_back(layer.get());
  }
  std::vector<Step> Plan() {
    while (At(0) != nullptr) {
      const auto* dropout = As<DropoutSpec>(At(0));
      if (As<FlattenSpec>(At(0)) != nullptr || (dropout != nullptr && dropout->rate == 0)) {
        Advance(1);
      } else {
        Add(Next());
      }
    }
    return std::move(steps_);
  }

 private:
  /// `count`: how many layers it is of.
  struct Found {
    StepKind kind;
    size_t count = 1;
  };

  Layer* At(size_t ahead) const { return place_ + ahead < layers_.size() ? layers_[place_ + ahead] : nullptr; }

  void Advance(size_t count) {
    shape_ = At(count - 1)->output_shape();
    place_ += count;
  }

  void Add(Found found) {
    std::string name;
    for (size_t i = 0; i < found.count; ++i) name += (i > 0 ? " + " : "") + At(i)->name();
    steps_.push_back({std::move(found.kind), At(0), std::move(name), shape_, place_});
    Advance(found.count);
  }

  Found Next() const {
    const Layer* layer = At(0);
    if (const auto* conv = As<ConvSpec>(layer)) {
      if (HasPatchKernel(*conv)) return PatchConv(*conv);
      if (HasConvKernel(*conv)) return Conv(*conv);
    }
    if (As<BatchNormSpec>(layer) != nullptr) return Norm();
    if (const int64_t size = PlainPool(layer); size > 1) return {MaxPoolStep{PoolShapeOf(shape_, size)}};
    if (const auto* dropout = As<DropoutSpec>(layer)) return {DropoutStep{dropout->rate}};
    if (const auto* dense = As<DenseSpec>(layer); dense != nullptr && IsNoneOrRelu(dense->activation))
      return Dense(*dense);
    if (const auto* skip = As<SkipSpec>(layer)) return {SkipStep{skip->slot}};
    if (const auto* add = As<AddSpec>(layer)) return {AddStep{add->slot}};
    if (const Act act = ActivationAt(0); act != Act::kNone) return {ActivationStep{act}};
    return {LayerStep{}};
  }

  Act ActivationAt(size_t ahead) const {
    const auto* next = As<ActivationSpec>(At(ahead));
    return next != nullptr ? KernelOf(next->activation) : Act::kNone;
  }

  static bool HasConvKernel(const ConvSpec& conv) {
    return IsSquare(conv.window) && conv.window.kernel_height == 3 && conv.window.stride == 1 &&
           IsNoneOrRelu(conv.activation);
  }
  bool HasPatchKernel(const ConvSpec& conv) const {
    constexpr int64_t kFewChannels = 4;
    const Window& window = conv.window;
    const bool one_sided = window.padding == Padding::kSame && window.kernel_height % 2 == 0;
    return place_ == 0 && shape_.channels <= kFewChannels && IsSquare(window) && window.stride == 1 && !one_sided &&
           (conv.activation == nullptr || KernelOf(conv.activation) != Act::kNone);
  }

  Found PatchConv(const ConvSpec& conv) const {
    const Act own = KernelOf(conv.activation);
    const Act behind = own == Act::kNone ? ActivationAt(1) : Act::kNone;
    if (behind != Act::kNone) return {PatchConvStep{ConvShapeOf(*At(0), shape_), behind}, 2};
    return {PatchConvStep{ConvShapeOf(*At(0), shape_), own}};
  }

  /// Of two values the larger stays so when ReLU cuts both off at 0, so that it may as well come after the pool.
  Found Conv(const ConvSpec& conv) const {
    ConvStep step{ConvShapeOf(*At(0), shape_), KernelOf(conv.activation) == Act::kRelu};
    size_t count = 1;
    const auto take_relu = [&] {
      if (step.relu || ActivationAt(count) != Act::kRelu) return;
      step.relu = true;
      ++count;
    };
    take_relu();
    if (PlainPool(At(count)) == 2) {
      step.shape.pool = true;
      ++count;
      take_relu();
    }
    return {step, count};
  }

  Found Norm() const {
    const Act act = ActivationAt(1);
    const size_t count = act != Act::kNone ? 2 : 1;
    const int64_t size = act == Act::kNone || act == Act::kRelu ? PlainPool(At(count)) : 1;
    return {NormStep{PoolShapeOf(shape_, size), act}, size > 1 ? count + 1 : count};
  }

  Found Dense(const DenseSpec& dense) const {
    const bool joined = dense.activation == nullptr && ActivationAt(1) == Act::kRelu;
    const kernels::DenseShape shape{.in = shape_.size(), .out = At(0)->output_shape().channels};
    return {DenseStep{shape, joined || KernelOf(dense.activation) == Act::kRelu}, joined ? size_t{2} : size_t{1}};
  }

  FeatureShape shape_;  // of what the layer at place_ is given
  std::vector<Layer*> layers_;
  size_t place_ = 0;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> PlanOf(const Network& network) { return Planner(network).Plan(); }

}  // namespace spotter
