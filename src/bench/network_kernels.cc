// SPDX-License-Identifier: Apache-2.0
#include "bench/network_kernels.h"

#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "engine/plan.h"

namespace spotter {
namespace {

/// The kernels of one step of the plan, forward and backward.
class StepCases {
 public:
  StepCases(const Step& step, int64_t images, int threads) : step_(step), images_(images), threads_(threads) {}

  std::vector<KernelCase> operator()(const ConvStep& conv) const {
    const kernels::ConvShape shape = OfImages(conv.shape);
    std::vector<KernelCase> cases = {ConvForwardCase(shape, HasBias(), conv.relu, threads_)};
    if (conv.relu) {
      cases.push_back(ReluGradientCase(images_, shape.out_height() * shape.out_width(), shape.out, threads_));
    }
    cases.push_back(ConvDataGradientCase(shape, threads_));
    cases.push_back(ConvWeightGradientCase(shape, threads_));
    return cases;
  }
  std::vector<KernelCase> operator()(const PatchConvStep& conv) const {
    const kernels::ConvShape shape = OfImages(conv.shape);
    std::vector<KernelCase> cases = {PatchForwardCase(shape, conv.act, threads_)};
    const bool learns = step_.layer->parameters().front().trainable();
    if (!learns) return cases;
    if (conv.act == kernels::Act::kGelu || conv.act == kernels::Act::kSilu) {
      cases.push_back(
          ActivationGradientCase(conv.act, images_, shape.out_height() * shape.out_width(), shape.out, threads_));
    }
    cases.push_back(PatchGradientCase(shape, conv.act, threads_));
    return cases;
  }
  std::vector<KernelCase> operator()(const NormStep& norm) const {
    const kernels::PoolShape shape = OfImages(norm.shape);
    return {NormForwardCase(shape, norm.act, threads_), NormBackwardCase(shape, norm.act, threads_)};
  }
  std::vector<KernelCase> operator()(const MaxPoolStep& pool) const {
    const kernels::PoolShape shape = OfImages(pool.shape);
    return {MaxPoolCase(shape, threads_), MaxPoolGradientCase(shape, threads_)};
  }
  std::vector<KernelCase> operator()(const DenseStep& dense) const {
    return DenseCases(OfImages(dense.shape), threads_);
  }
  std::vector<KernelCase> operator()(const DropoutStep& dropout) const {
    if (dropout.rate == 0) return {};
    return {DropoutCase(images_, step_.input.size(), dropout.rate, threads_)};
  }
  std::vector<KernelCase> operator()(const ActivationStep& step) const {
    const int64_t channels = step_.input.channels;
    const int64_t pixels = step_.input.size() / channels;
    return {ActivationCase(step.act, images_, pixels, channels, threads_),
            ActivationGradientCase(step.act, images_, pixels, channels, threads_)};
  }
  std::vector<KernelCase> operator()(const AddStep&) const {
    return {AddCase(images_, step_.input.size() / step_.input.channels, step_.input.channels, threads_)};
  }
  std::vector<KernelCase> operator()(const SkipStep&) const { return {}; }  // nothing, and the same sum going back
  std::vector<KernelCase> operator()(const LayerStep&) const { return {}; }

 private:
  template <typename Shape>
  Shape OfImages(Shape shape) const {
    shape.images = images_;
    return shape;
  }
  bool HasBias() const { return step_.layer->parameters().size() > 1; }

  const Step& step_;
  int64_t images_;
  int threads_;
};

using Key = std::tuple<std::string, std::string, int64_t>;
Key KeyOf(const KernelCase& c) { return {c.kernel, c.shape, c.images}; }

struct TimedCase {
  std::string recipe;
  KernelCase timed;
  KernelCase few_images;
};

KernelSpeed Time(const std::string& recipe, const KernelCase& kernel, const Effort& effort) {
  const KernelCalls calls = kernel.make();
  std::vector<double> ours, libtorch, ratios;
  for (const auto& [a, b] : TimeInTurn([&] { calls.ours(); }, [&] { calls.libtorch(at::kBFloat16); }, effort)) {
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
                    .gb_per_second = {},
                    .error = {},
                    .libtorch_error = {}};
  if (kernel.products > 0) {
    speed.gflops = 2e-6 * kernel.products / speed.ms.median;
    speed.libtorch_gflops = 2e-6 * kernel.products / speed.libtorch_ms.median;
  } else {
    speed.gb_per_second = 1e-6 * kernel.bytes / speed.ms.median;
  }
  return speed;
}

void AddErrors(const KernelCase& kernel, KernelSpeed& speed) {
  if (kernel.random) return;
  const KernelCalls calls = kernel.make();
  const at::Tensor exact = calls.libtorch(at::kDouble);
  speed.error = RelativeError(calls.ours(), exact);
  speed.libtorch_error = RelativeError(calls.libtorch(at::kBFloat16), exact);
}

}  // namespace

double RelativeError(const at::Tensor& computed, const at::Tensor& exact) {
  return ((computed.to(at::kDouble) - exact).norm() / exact.norm()).item<double>();
}

std::vector<KernelCase> KernelsOf(const Network& network, int64_t images, int threads) {
  std::vector<KernelCase> all;
  std::set<Key> seen;
  for (const Step& step : PlanOf(network)) {
    for (KernelCase& c : std::visit(StepCases(step, images, threads), step.kind)) {
      if (seen.insert(KeyOf(c)).second) all.push_back(std::move(c));
    }
  }
  return all;
}

std::vector<KernelSpeed> TimeKernels(const std::vector<NamedNetwork>& networks, int threads, const Effort& effort,
                                     const Progress& progress) {
  std::set<Key> seen;
  std::vector<TimedCase> cases;
  for (const NamedNetwork& named : networks) {
    const std::vector<KernelCase> timed = KernelsOf(named.network, named.batch_size, threads);
    const std::vector<KernelCase> few_images = KernelsOf(named.network, kErrorImages, threads);
    for (size_t i = 0; i < timed.size(); ++i) {
      if (seen.insert(KeyOf(timed[i])).second) cases.push_back({named.recipe, timed[i], few_images[i]});
    }
  }
  std::vector<KernelSpeed> speeds;
  for (const TimedCase& c : cases) {
    progress("timing kernels", static_cast<int64_t>(speeds.size()), static_cast<int64_t>(cases.size()));
    speeds.push_back(Time(c.recipe, c.timed, effort));
    AddErrors(c.few_images, speeds.back());
  }
  return speeds;
}

}  // namespace spotter
