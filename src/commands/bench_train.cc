// SPDX-License-Identifier: Apache-2.0
// spotter bench train: training steps on noise images.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/speed.h"
#include "commands/bench.h"

namespace spotter {
namespace {

struct Arguments {
  std::vector<std::string> recipes;
  int64_t steps = 100;
  int64_t classes = kBenchClasses;
  bool profile = false;
  std::shared_ptr<GivenFlags> given;
};

/// What changes the work of a step; a recipe may name the others too, a flag may not.
std::vector<Option> StepOptions(TrainSettings& settings) {
  return BenchOptions(settings, {"image-size",      "normalize",     "model",     "batch-size",       "seed",
                                 "label-smoothing", "class-weights", "optimizer", "weight-decay",     "momentum",
                                 "nesterov",        "flip",          "shift",     "shift-fill",       "device",
                                 "precision",       "threads",       "lookahead", "alternating-flip", "brightness",
                                 "contrast",        "cutout"});
}

void PrintJson(const Arguments& a, const std::string& recipe, const Speed& speed, const Compute& compute, double busy) {
  Json json = {{"bench", "train"}, {"recipe", recipe}, {"steps", a.steps}};
  json.update(SpeedJson(speed, "step"));
  json.update(BenchHostJson(compute, busy));
  std::puts(DumpJson(json).c_str());
}

int Run(const BenchCommon& common, const Arguments& a) {
  const std::vector<BenchRecipe> recipes = BenchRecipes(a.recipes, *a.given);
  const double busy = WarnWhenBusy();
  const Effort effort{.warm_up = 5, .least = a.steps, .most = a.steps, .seconds = 0};
  std::vector<NamedSpeed> speeds;
  std::string host;
  for (const auto& [name, settings] : recipes) {
    const Compute compute = PrepareCompute(settings.compute);
    const auto [speed, profile] = TimeTraining(settings, a.classes, compute, effort);
    if (common.json) PrintJson(a, name, speed, compute, busy);
    if (a.profile) {
      const double peak = PeakGflops(compute.threads, EngineRuns(compute));
      std::fprintf(stderr, "%s\n%s\n", name.c_str(), ProfileText(profile, peak).c_str());
    }
    speeds.push_back({name, speed});
    host = BenchHost(compute);
  }
  if (!common.json) std::printf("%s\n%s", host.c_str(), SpeedText("Training", speeds).c_str());
  return 0;
}

}  // namespace

BenchPart DeclareBenchTrain(CLI::App& bench, std::shared_ptr<BenchCommon> common) {
  CLI::App* app = bench.add_subcommand(
      "train",
      "training steps on noise images: augmentation, forward, backward, optimizer; whole ones, also "
      "of recipes that leave part of the backward pass out later on");
  auto a = std::make_shared<Arguments>();
  app->add_option("--recipe", a->recipes,
                  "named recipes or TOML files; all: every built-in one; without it the default settings")
      ->type_name("R...");
  app->add_option("--steps", a->steps, "steps to time, after 5 to warm up")
      ->check(CLI::Range(1, 1000000))
      ->default_str("100");
  app->add_option("--classes", a->classes, "how many classes")->check(CLI::Range(2, 100000))->default_str("10");
  app->add_flag("--profile", a->profile, "show where the time went, phase by phase and step by step of the network");
  app->add_flag("--json", common->json, "print one JSON object, a line for each recipe");
  TrainSettings defaults;
  a->given = AddFlags(*app, StepOptions(defaults));
  return [common, a] { return Run(*common, *a); };
}

}  // namespace spotter
