// SPDX-License-Identifier: Apache-2.0
// The parts of `spotter bench`, one file each, and what they have in common.
#pragma once

#include <functional>
#include <memory>
#include <set>
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
std::vector<BenchRecipe> BenchRecipes(const std::vector<std::string>& names, const GivenFlags& given);

/// Those of training's options that bear one of the names, with help that speaks of noise images.
std::vector<Option> BenchOptions(TrainSettings& settings, const std::set<std::string>& names);

/// --device, --precision and --threads alone.
Compute BenchCompute(const GivenFlags& given);

/// The kernels of these recipes' networks, with progress. Needs Engine::RunsHere().
std::vector<KernelSpeed> TimeRecipesKernels(const std::vector<BenchRecipe>& recipes, int threads, const Effort& effort);

/// The share of the processors' time that other programs take, in [0, 1], and on stderr that they do, where it is much.
/// Called before anything is timed.
double WarnWhenBusy();

/// "AMD EPYC 9R14, bf16 on cpu with 2 threads", and the same for programs.
std::string BenchHost(const Compute& compute);
Json BenchHostJson(const Compute& compute, double busy);

constexpr int64_t kBenchClasses = 10;

}  // namespace spotter
