// SPDX-License-Identifier: Apache-2.0
// Where and in which precision networks run.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace spotter {

struct ComputeSettings {
  std::string device = "auto";     // auto, cpu, cuda
  std::string precision = "auto";  // auto, bf16, fp32
  int64_t threads = 0;             // 0: one a core
};

struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType precision = at::kFloat;
  int threads = 1;
};

/// Decides, and sets the number of threads of libtorch. auto takes CUDA where libtorch and the machine have it, and
/// bf16 where our own kernels run or the device is CUDA: elsewhere it is slow, or not tried (ARM). Throws Error(kUsage)
/// for CUDA where there is none.
Compute PrepareCompute(const ComputeSettings& settings);

/// Whether our own kernels compute: bf16 on a CPU that has what they need.
bool EngineRuns(const Compute& compute);

std::string PrecisionName(at::ScalarType precision);  // "bf16", "fp32"

}  // namespace spotter
