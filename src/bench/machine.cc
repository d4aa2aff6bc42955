// SPDX-License-Identifier: Apache-2.0
#include "bench/machine.h"

#include "kernels/peak.h"

namespace spotter {
namespace {

Quantiles Giga(std::vector<double> values) {
  for (double& value : values) value *= 1e-9;
  return QuantilesOf(std::move(values));
}

}  // namespace

MachinePeak MeasurePeak(int threads, int slices) {
  MachinePeak peak{.threads = threads,
                   .bf16_gflops = {},
                   .fp32_gflops = Giga(kernels::Fp32Rates(threads, slices)),
                   .memory_gb_per_second = Giga(kernels::CopyRates(threads, slices))};
  const auto bf16 = kernels::Bf16Rates(threads, slices);
  if (!bf16.empty()) peak.bf16_gflops = Giga(bf16);
  return peak;
}

Json ToJson(const MachinePeak& peak) {
  Json json = {{"threads", peak.threads}, {"n", peak.fp32_gflops.n}};
  json.update(peak.bf16_gflops ? ToJson(*peak.bf16_gflops, "bf16_gflops") : Json({{"bf16_gflops", nullptr}}));
  json.update(ToJson(peak.fp32_gflops, "fp32_gflops"));
  json.update(ToJson(peak.memory_gb_per_second, "memory_gb_per_second"));
  return json;
}

double PeakGflops(int threads, bool bf16) {
  constexpr int kSlices = 10;
  return Giga(bf16 ? kernels::Bf16Rates(threads, kSlices) : kernels::Fp32Rates(threads, kSlices)).median;
}

}  // namespace spotter
