// SPDX-License-Identifier: Apache-2.0
#include "bench/network_kernels.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/op.h"

namespace spotter {
namespace {

using kernels::Act;
using kernels::ConvShape;

template <typename Spec>
const Spec* As(const Layer* layer) {
  return layer != nullptr ? std::get_if<Spec>(&layer->spec()) : nullptr;
}

Act ActOf(const Activation* activation) { return activation != nullptr ? KernelOf(*activation) : Act::kNone; }

bool IsPlainPool(const MaxPoolSpec* pool) {
  return pool != nullptr && pool->window.kernel_height == pool->window.kernel_width &&
         pool->window.stride == pool->window.kernel_height && pool->window.padding == Padding::kValid &&
         pool->window.stride >= 2 && pool->window.stride <= 15;
}

/// Goes through the layers and collects the cases, as the engine's planner collects ops.
class Collector {
 public:
  Collector(const Network& network, int64_t images, int threads)
      : network_(network), images_(images), threads_(threads), shape_(network.input_shape()) {}

  std::vector<KernelCase> Collect() {
    while (next_ < network_.layers().size()) {
      const Layer& layer = *At(0);
      if (const auto* conv = As<ConvSpec>(&layer)) {
        AddConv(layer, *conv);
      } else if (As<BatchNormSpec>(&layer) != nullptr) {
        AddNorm();
      } else if (const auto* pool = As<MaxPoolSpec>(&layer); IsPlainPool(pool)) {
        AddPool(pool->window.stride);
      } else if (As<DenseSpec>(&layer) != nullptr) {
        for (KernelCase& c : DenseCases({images_, shape_.size(), layer.output_shape().channels}, threads_))
          cases_.push_back(std::move(c));
      } else if (const auto* dropout = As<DropoutSpec>(&layer); dropout != nullptr && dropout->rate > 0) {
        cases_.push_back(DropoutCase(images_, shape_.size(), dropout->rate, threads_));
      }
      shape_ = At(0)->output_shape();
      ++next_;
    }
    return std::move(cases_);
  }

 private:
  const Layer* At(size_t ahead) const {
    return next_ + ahead < network_.layers().size() ? network_.layers()[next_ + ahead].get() : nullptr;
  }

  /// The activation behind this layer, which its kernel takes in.
  Act TakeActivation() {
    const auto* next = As<ActivationSpec>(At(1));
    const Act act = next != nullptr ? ActOf(next->activation) : Act::kNone;
    if (act != Act::kNone) ++next_;
    return act;
  }

  void AddConv(const Layer& layer, const ConvSpec& conv) {
    const Window& window = conv.window;
    const bool same = window.padding == Padding::kSame;
    ConvShape shape{.images = images_,
                    .height = shape_.height,
                    .width = shape_.width,
                    .in = shape_.channels,
                    .out = layer.output_shape().channels,
                    .kernel = window.kernel_height,
                    .pad = same ? window.kernel_height / 2 : 0};
    if (window.stride != 1 || window.kernel_height != window.kernel_width) return;
    if (next_ == 0 && shape_.channels <= 4 && !(same && window.kernel_height % 2 == 0)) {
      AddPatchConv(layer, shape, ActOf(conv.activation));
    } else if (window.kernel_height == 3) {
      AddWinograd(layer, shape, ActOf(conv.activation));
    }
  }

  void AddPatchConv(const Layer& layer, const ConvShape& shape, Act act) {
    const bool learns = layer.parameters().front().trainable();
    if (act == Act::kNone) act = TakeActivation();
    cases_.push_back(PatchForwardCase(shape, act, threads_));
    if (learns) cases_.push_back(PatchGradientCase(shape, act, threads_));
  }

  void AddWinograd(const Layer& layer, ConvShape shape, Act act) {
    const bool bias = layer.parameters().size() > 1;
    if (act == Act::kNone && As<ActivationSpec>(At(1)) != nullptr &&
        ActOf(As<ActivationSpec>(At(1))->activation) == Act::kRelu)
      act = TakeActivation();
    if (act != Act::kNone && act != Act::kRelu) return;  // the engine leaves such a layer to libtorch
    const auto* pool = As<MaxPoolSpec>(At(1));
    if (IsPlainPool(pool) && pool->window.stride == 2) {
      shape.pool = true;
      ++next_;
    }
    cases_.push_back(ConvForwardCase(shape, bias, act == Act::kRelu, threads_));
    if (act == Act::kRelu) AddReluGradient(shape);
    cases_.push_back(ConvDataGradientCase(shape, threads_));
    cases_.push_back(ConvWeightGradientCase(shape, threads_));
  }

  void AddReluGradient(const ConvShape& shape) {
    cases_.push_back(ReluGradientCase(images_, shape.out_height() * shape.out_width(), shape.out, threads_));
  }

  void AddNorm() {
    kernels::PoolShape shape = Map(1);
    const Act act = TakeActivation();
    const auto* pool = As<MaxPoolSpec>(At(1));
    if (IsPlainPool(pool) && (act == Act::kNone || act == Act::kRelu)) {
      shape.size = pool->window.stride;
      ++next_;
    }
    cases_.push_back(NormForwardCase(shape, act, threads_));
    cases_.push_back(NormBackwardCase(shape, act, threads_));
  }

  void AddPool(int64_t size) {
    cases_.push_back(MaxPoolCase(Map(size), threads_));
    cases_.push_back(MaxPoolGradientCase(Map(size), threads_));
  }

  /// The map that the layer is given, a vector being one of a single pixel.
  kernels::PoolShape Map(int64_t window) const {
    return {images_, std::max<int64_t>(shape_.height, 1), std::max<int64_t>(shape_.width, 1), shape_.channels, window};
  }

  const Network& network_;
  int64_t images_;
  int threads_;
  FeatureShape shape_;
  size_t next_ = 0;
  std::vector<KernelCase> cases_;
};

using Key = std::tuple<std::string, std::string, int64_t>;
Key KeyOf(const KernelCase& c) { return {c.kernel, c.shape, c.images}; }

KernelSpeed Time(const std::string& recipe, const KernelCase& kernel, const Effort& effort) {
  const KernelCalls calls = kernel.make();
  std::vector<double> ours, libtorch, ratios;
  for (const auto& [a, b] : TimeInTurn([&] { calls.ours(); }, [&] { calls.libtorch(); }, effort)) {
    ours.push_back(1e3 * a);
    libtorch.push_back(1e3 * b);
    ratios.push_back(b / a);
  }
  KernelSpeed speed{.recipe = recipe,
                    .kernel = kernel.kernel,
                    .shape = kernel.shape,
                    .images = kernel.images,
                    .ms = QuantilesOf(std::move(ours)),
                    .libtorch_ms = QuantilesOf(std::move(libtorch)),
                    .ratio = QuantilesOf(std::move(ratios)),
                    .gflops = {},
                    .libtorch_gflops = {},
                    .gb_per_second = {}};
  if (kernel.products > 0) {
    speed.gflops = 2e-6 * kernel.products / speed.ms.median;
    speed.libtorch_gflops = 2e-6 * kernel.products / speed.libtorch_ms.median;
  } else {
    speed.gb_per_second = 1e-6 * kernel.bytes / speed.ms.median;
  }
  return speed;
}

}  // namespace

std::vector<KernelCase> KernelsOf(const Network& network, int64_t images, int threads) {
  std::vector<KernelCase> all = Collector(network, images, threads).Collect();
  std::set<Key> seen;
  std::erase_if(all, [&](const KernelCase& c) { return !seen.insert(KeyOf(c)).second; });
  return all;
}

std::vector<KernelSpeed> TimeKernels(const std::vector<NamedNetwork>& networks, int threads, const Effort& effort,
                                     const Progress& progress) {
  std::set<Key> seen;
  std::vector<std::pair<std::string, KernelCase>> cases;
  for (const NamedNetwork& named : networks) {
    for (KernelCase& c : KernelsOf(named.network, named.batch_size, threads)) {
      if (seen.insert(KeyOf(c)).second) cases.emplace_back(named.recipe, std::move(c));
    }
  }
  std::vector<KernelSpeed> speeds;
  for (const auto& [recipe, kernel] : cases) {
    progress("timing kernels", static_cast<int64_t>(speeds.size()), static_cast<int64_t>(cases.size()));
    speeds.push_back(Time(recipe, kernel, effort));
  }
  return speeds;
}

}  // namespace spotter
