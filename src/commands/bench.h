// SPDX-License-Identifier: Apache-2.0
// The parts of `spotter bench`, one file each, and what they have in common.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/network_kernels.h"
#include "bench/text.h"
#include "commands/flags.h"
#include "evaluate/compute.h"
#include "train/settings.h"

namespace spotter {

struct BenchCommon {
  bool json = false;
  GivenFlags before;  // given to `spotter bench` itself; those behind a part's name win
};

/// Declares a part's flags and returns what runs it.
using BenchPart = std::function<int()>;
BenchPart DeclareBenchPeak(CLI::App& bench, std::shared_ptr<BenchCommon> common);
BenchPart DeclareBenchKernels(CLI::App& bench, std::shared_ptr<BenchCommon> common);
BenchPart DeclareBenchTrain(CLI::App& bench, std::shared_ptr<BenchCommon> common);
BenchPart DeclareBenchInference(CLI::App& bench, std::shared_ptr<BenchCommon> common);

/// Names of recipes, "all" standing for every built-in one, and the settings of each with the flags applied, so that a
/// wrong one is refused before anything is timed. Without a name: the default settings.
struct BenchRecipe {
  std::string name;
  TrainSettings settings;
};
std::vector<BenchRecipe> BenchRecipes(const std::vector<std::string>& names, const BenchCommon& common,
                                      const GivenFlags& given);

/// --device, --precision and --threads alone.
Compute BenchCompute(const BenchCommon& common, const GivenFlags& given);

/// The kernels of these recipes' networks, with progress. Needs Engine::RunsHere().
std::vector<KernelSpeed> TimeRecipesKernels(const std::vector<BenchRecipe>& recipes, int threads, const Effort& effort);

/// Says on stderr that other programs take the processors' time, where they do. Called before anything is timed.
void WarnWhenBusy();

/// "AMD EPYC 9R14, bf16 on cpu with 2 threads", and the same for programs.
std::string BenchHost(const Compute& compute);
Json BenchHostJson(const Compute& compute);

constexpr int64_t kBenchClasses = 10;

}  // namespace spotter
