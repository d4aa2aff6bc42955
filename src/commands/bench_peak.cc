// SPDX-License-Identifier: Apache-2.0
// spotter bench peak: the most that this machine does.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/host.h"
#include "commands/bench.h"

namespace spotter {
namespace {

int Run(const BenchCommon& common, const GivenFlags& given) {
  const Compute compute = BenchCompute(given);
  const double busy = WarnWhenBusy();
  const MachinePeak peak = MeasurePeak(compute.threads);
  if (common.json) {
    Json json = {{"bench", "peak"}};
    json.update(ToJson(peak));
    json["busy"] = busy;
    json["host"] = DescribeHost();
    std::puts(DumpJson(json).c_str());
  } else {
    std::printf("%s", PeakText(peak).c_str());
  }
  return 0;
}

}  // namespace

BenchPart DeclareBenchPeak(CLI::App& bench, std::shared_ptr<BenchCommon> common) {
  CLI::App* app = bench.add_subcommand(
      "peak", "multiply-adds that wait for no memory, in bf16 and fp32, and memory without arithmetic");
  app->add_flag("--json", common->json, "print one JSON object");
  ComputeSettings defaults;
  const auto given = AddFlags(*app, OnlyOptions(ComputeOptions(defaults), {"threads"}));
  return [common, given] { return Run(*common, *given); };
}

}  // namespace spotter
