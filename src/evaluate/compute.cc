// SPDX-License-Identifier: Apache-2.0
#include "evaluate/compute.h"

#include <ATen/Parallel.h>

#include "base/error.h"
#include "base/parallel.h"
#include "engine/engine.h"

namespace spotter {

bool EngineRuns(const Compute& compute) {
  return compute.device.is_cpu() && compute.precision == at::kBFloat16 && Engine::RunsHere();
}

std::string PrecisionName(at::ScalarType precision) { return precision == at::kBFloat16 ? "bf16" : "fp32"; }

Compute PrepareCompute(const ComputeSettings& settings) {
  Compute compute;
  const bool cuda = at::hasCUDA();
  if (settings.device == "cuda" && !cuda) {
    Fail(ExitCode::kUsage,
         "--device cuda: this libtorch or this machine has no CUDA; use --device cpu, or build preset 'cuda' against a "
         "CUDA libtorch");
  }
  if (settings.device != "cpu" && cuda) compute.device = at::Device(at::kCUDA, 0);
  const bool has_bf16 = compute.device.is_cuda() || Engine::RunsHere();
  if (settings.precision == "bf16" || (settings.precision == "auto" && has_bf16)) compute.precision = at::kBFloat16;
  compute.threads = settings.threads > 0 ? static_cast<int>(settings.threads) : AvailableCores();
  at::set_num_threads(compute.threads);
  return compute;
}

}  // namespace spotter
