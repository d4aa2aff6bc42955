// SPDX-License-Identifier: Apache-2.0
// spotter bench kernels: each of our kernels beside the same operation of libtorch, in turn.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/error.h"
#include "base/host.h"
#include "commands/bench.h"
#include "engine/engine.h"

namespace spotter {
namespace {

struct Arguments {
  std::vector<std::string> recipes = {"all"};
  std::shared_ptr<GivenFlags> given;
};

int Run(const BenchCommon& common, const Arguments& a) {
  const std::vector<BenchRecipe> recipes = BenchRecipes(a.recipes, *a.given);
  const Compute compute = BenchCompute(*a.given);
  if (!Engine::RunsHere())
    Fail(ExitCode::kUsage,
         "our kernels need a processor with AVX-512 bf16, which this is not (or the program is built without them): "
         "libtorch computes here, and 'spotter bench train' times it");
  const double busy = WarnWhenBusy();
  const std::vector<KernelSpeed> kernels = TimeRecipesKernels(recipes, compute.threads, {});
  const MachinePeak peak = MeasurePeak(compute.threads);
  if (common.json) {
    std::puts(DumpJson({{"bench", "kernels"},
                        {"kernels", KernelsJson(kernels, peak)},
                        {"peak", ToJson(peak)},
                        {"threads", compute.threads},
                        {"busy", busy},
                        {"host", DescribeHost()}})
                  .c_str());
  } else {
    std::printf("%s\n%s", KernelsText(kernels, peak).c_str(), PeakText(peak).c_str());
  }
  return 0;
}

}  // namespace

BenchPart DeclareBenchKernels(CLI::App& bench, std::shared_ptr<BenchCommon> common) {
  CLI::App* app = bench.add_subcommand(
      "kernels",
      "the kernels that training a recipe's network calls, beside the same operation of libtorch (oneDNN; bf16, "
      "channels-last) on the same values, in turn: ms, GFLOPS (two a multiply-add of the plain algorithm; Winograd's, "
      "on AVX-512, needs fewer) or GB/s (maps in a cache may exceed the memory's peak), how many times as fast as "
      "libtorch's, and the error of each against fp64 on 16 images");
  auto a = std::make_shared<Arguments>();
  app->add_option("--recipe", a->recipes, "named recipes or TOML files; all: every built-in one")
      ->type_name("R...")
      ->default_str("all");
  app->add_flag("--json", common->json, "print one JSON object");
  TrainSettings defaults;
  a->given = AddFlags(*app, BenchOptions(defaults, {"image-size", "batch-size", "threads"}));
  return [common, a] { return Run(*common, *a); };
}

}  // namespace spotter
