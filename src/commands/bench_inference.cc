// SPDX-License-Identifier: Apache-2.0
// spotter bench inference: noise images through a network that is used, not trained.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/error.h"
#include "bench/speed.h"
#include "commands/bench.h"
#include "report/run_folder.h"

namespace spotter {
namespace {

struct Arguments {
  std::vector<std::string> recipes;
  std::string model;
  int64_t batch_size = 256;
  int64_t batches = 100;
  std::shared_ptr<GivenFlags> given;
};

int Run(const BenchCommon& common, const Arguments& a) {
  if (!a.model.empty() && !a.recipes.empty())
    Fail(ExitCode::kUsage, "--model and --recipe both say what to time; give one of them");
  if (!a.model.empty() && WasGiven(*a.given, "image-size"))
    Fail(ExitCode::kUsage, "--image-size goes with --recipe: the model of --model has a size of its own");
  const Compute compute = BenchCompute(*a.given);
  std::vector<std::pair<std::string, Model>> models;
  if (!a.model.empty()) {
    models.emplace_back(a.model, LoadModel(FindModelFile(a.model)));
  } else {
    for (const BenchRecipe& recipe : BenchRecipes(a.recipes, *a.given))
      models.emplace_back(recipe.name, NoiseModel(recipe.settings, kBenchClasses));
  }
  const double busy = WarnWhenBusy();
  const Effort effort{.warm_up = 5, .least = a.batches, .most = a.batches, .seconds = 0};
  std::vector<NamedSpeed> speeds;
  for (auto& [name, model] : models) {
    model.network.MoveTo(compute.device);
    speeds.push_back({name, TimeInference(model, a.batch_size, compute, effort)});
    if (!common.json) continue;
    Json json = {{"bench", "inference"}, {a.model.empty() ? "recipe" : "model", name}, {"batches", a.batches}};
    json.update(SpeedJson(speeds.back().speed, "batch"));
    json.update(BenchHostJson(compute, busy));
    std::puts(DumpJson(json).c_str());
  }
  if (!common.json) std::printf("%s\n%s", BenchHost(compute).c_str(), SpeedText("Inference", speeds).c_str());
  return 0;
}

}  // namespace

BenchPart DeclareBenchInference(CLI::App& bench, std::shared_ptr<BenchCommon> common) {
  CLI::App* app = bench.add_subcommand(
      "inference", "batches of noise images from their bytes to logits, one view of each, none trained on");
  auto a = std::make_shared<Arguments>();
  app->add_option("--recipe", a->recipes,
                  "networks of named recipes or TOML files; all: every built-in one; without it the default network")
      ->type_name("R...");
  app->add_option("--model", a->model, "a run's folder or a model file, in their place")->type_name("RUN");
  app->add_option("--batch-size", a->batch_size, "images a batch")->check(CLI::Range(1, 100000))->default_str("256");
  app->add_option("--batches", a->batches, "batches to time, after 5 to warm up")
      ->check(CLI::Range(1, 1000000))
      ->default_str("100");
  app->add_flag("--json", common->json, "print one JSON object, a line for each recipe");
  TrainSettings defaults;
  a->given = AddFlags(*app, BenchOptions(defaults, {"image-size", "device", "precision", "threads"}));
  return [common, a] { return Run(*common, *a); };
}

}  // namespace spotter
