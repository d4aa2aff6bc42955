// SPDX-License-Identifier: Apache-2.0
// The kernels that training a network calls, each timed beside libtorch.
#pragma once

#include <optional>
#include <vector>

#include "base/progress.h"
#include "bench/kernel_case.h"
#include "bench/timing.h"
#include "models/network.h"

namespace spotter {

constexpr int64_t kErrorImages = 16;  // fp64 is slow; of fewer images dense layers have another kernel

/// Those of the engine's plan (engine/plan.h), each once. Layers that have no kernel of ours (a convolution with a
/// stride) are left out, and so are the bias's gradient of one that is not trained and what takes no time.
std::vector<KernelCase> KernelsOf(const Network& network, int64_t images, int threads);

struct KernelSpeed {
  std::string recipe;  // the first that has it
  std::string kernel;
  std::string shape;
  int64_t images = 0;
  Quantiles ms;
  Quantiles libtorch_ms;
  Quantiles ratio;                        // libtorch's time / ours, pair by pair: how many times as fast ours is
  std::optional<double> gflops;           // two a multiply-add of the plain algorithm: Winograd's may exceed the peak
  std::optional<double> libtorch_gflops;  // the same
  std::optional<double> gb_per_second;    // of kernels that wait for memory; maps in a cache may exceed the peak
  std::optional<double> error;            // of our result against fp64, on a few images; of dropout there is none
  std::optional<double> libtorch_error;   // of libtorch's in bf16
};

/// The root of the mean squared difference, as a share of the exact values' root mean square.
double RelativeError(const at::Tensor& computed, const at::Tensor& exact);

struct NamedNetwork {
  std::string recipe;
  const Network& network;
  int64_t batch_size = 0;
};

/// Kernels that several networks have are timed once. Errors are those of kErrorImages images. Needs
/// Engine::RunsHere().
std::vector<KernelSpeed> TimeKernels(const std::vector<NamedNetwork>& networks, int threads, const Effort& effort,
                                     const Progress& progress);

}  // namespace spotter
