// SPDX-License-Identifier: Apache-2.0
// What the machine can do at most (kernels/peak.h), in the units of the reports.
#pragma once

#include <optional>

#include "bench/timing.h"

namespace spotter {

struct MachinePeak {
  int threads = 1;
  std::optional<Quantiles> bf16_gflops;  // where our kernels run
  Quantiles fp32_gflops;
  Quantiles memory_gb_per_second;  // read and written
};

/// Takes `slices` values of each, 10 ms or so apiece.
MachinePeak MeasurePeak(int threads, int slices = 20);

Json ToJson(const MachinePeak& peak);

/// The median of one of them alone, in a tenth of a second. bf16: needs Engine::RunsHere().
double PeakGflops(int threads, bool bf16);

}  // namespace spotter
