// SPDX-License-Identifier: Apache-2.0
// spotter bench: how fast this machine is. Without a part: all of them, each in short.
#include "commands/bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/host.h"
#include "bench/speed.h"
#include "commands/command.h"
#include "report/progress.h"
#include "train/recipes.h"

namespace spotter {
namespace {

/// Each recipe's speed by `time`, with progress.
template <typename Time>
std::vector<NamedSpeed> EachRecipe(const std::vector<BenchRecipe>& recipes, const char* what, const Time& time) {
  ActivityLine line;
  std::vector<NamedSpeed> speeds;
  for (const BenchRecipe& recipe : recipes) {
    line.Update(what, static_cast<int64_t>(speeds.size()), static_cast<int64_t>(recipes.size()));
    speeds.push_back({recipe.name, time(recipe.settings)});
  }
  return speeds;
}

Json SpeedsJson(const std::vector<NamedSpeed>& speeds, const std::string& step) {
  Json list = Json::array();
  for (const auto& [name, speed] : speeds) {
    Json json = {{"recipe", name}, {"n", speed.images_per_second.n}};
    json.update(SpeedJson(speed, step));
    list.push_back(json);
  }
  return list;
}

/// `names`: of the recipes; none: all of them, and the kernels of two that have every one.
int RunAll(const BenchCommon& common, const std::vector<std::string>& names, const GivenFlags& given) {
  const std::vector<BenchRecipe> recipes = BenchRecipes(names.empty() ? std::vector<std::string>{"all"} : names, given);
  const Compute compute = BenchCompute(given);
  const double busy = WarnWhenBusy();
  const auto show = [&](const std::string& text) {
    if (common.json) return;
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  };
  show(BenchHost(compute) + "\n");
  const MachinePeak peak = MeasurePeak(compute.threads);
  show(PeakText(peak));

  std::vector<KernelSpeed> kernels;
  if (EngineRuns(compute)) {
    const Effort effort{.warm_up = 1, .least = 5, .most = 100, .seconds = 0.1};
    kernels = TimeRecipesKernels(names.empty() ? BenchRecipes({"speed", "seed-003"}, given) : recipes, compute.threads,
                                 effort);
    show(KernelsText(kernels, peak));
  } else {
    show("Our kernels need bf16 on a processor with AVX-512 bf16; here libtorch computes everything.\n");
  }

  const auto training = EachRecipe(recipes, "timing training", [&](const TrainSettings& settings) {
    const Effort effort{.warm_up = 2, .least = 3, .most = 100, .seconds = 3};
    return TimeTraining(settings, kBenchClasses, compute, effort).speed;
  });
  show(SpeedText("Training", training));
  const auto inference = EachRecipe(recipes, "timing inference", [&](const TrainSettings& settings) {
    const Effort effort{.warm_up = 1, .least = 3, .most = 100, .seconds = 1};
    return TimeInference(NoiseModel(settings, kBenchClasses), /*batch_size=*/256, compute, effort);
  });
  show(SpeedText("Inference", inference));
  if (common.json) {
    Json json = {{"bench", "all"},
                 {"peak", ToJson(peak)},
                 {"kernels", KernelsJson(kernels, peak)},
                 {"train", SpeedsJson(training, "step")},
                 {"inference", SpeedsJson(inference, "batch")}};
    json.update(BenchHostJson(compute, busy));
    std::puts(DumpJson(json).c_str());
  }
  return 0;
}

}  // namespace

Command BenchCommand() {
  return {"bench", "Measure how fast this machine is: its peak, each kernel, training and use of networks",
          "  spotter bench                                                all of it, in a minute or two\n"
          "  spotter bench kernels --recipe speed                         each kernel beside libtorch's\n"
          "  spotter bench train --recipe seed-003 speed\n"
          "  spotter bench train --recipe speed --steps 20 --profile      where the time goes\n"
          "  spotter bench inference --model runs/cifar10-speed-1 --batch-size 1 --json",
          [](CLI::App& app) {
            auto common = std::make_shared<BenchCommon>();
            app.require_subcommand(0, 1);
            auto recipes = std::make_shared<std::vector<std::string>>();
            app.add_option("--recipe", *recipes, "named recipes or TOML files in place of every built-in one")
                ->type_name("R...");
            app.add_flag("--json", common->json, "print one JSON object");
            ComputeSettings defaults;
            const auto given = AddFlags(app, ComputeOptions(defaults));
            std::vector<BenchPart> parts = {DeclareBenchPeak(app, common), DeclareBenchKernels(app, common),
                                            DeclareBenchTrain(app, common), DeclareBenchInference(app, common)};
            return [&app, common, recipes, given, parts] {
              const auto names = app.get_subcommands({});
              for (size_t i = 0; i < parts.size(); ++i) {
                if (!names[i]->parsed()) continue;
                const std::string part = names[i]->get_name();
                const std::string flag = !recipes->empty() ? "recipe" : !given->empty() ? given->front().first : "";
                if (!flag.empty())
                  Fail(ExitCode::kUsage, "--{} stands before '{}'; put it behind: spotter bench {} --{} ...", flag,
                       part, part, flag);
                return parts[i]();
              }
              return RunAll(*common, *recipes, *given);
            };
          }};
}

std::vector<BenchRecipe> BenchRecipes(const std::vector<std::string>& names, const GivenFlags& given) {
  std::vector<std::string> all;
  for (const std::string& name : names) {
    if (name != "all") {
      all.push_back(name);
    } else {
      for (const Recipe& recipe : BuiltinRecipes()) all.push_back(recipe.name);
    }
  }
  if (all.empty()) all.emplace_back();
  std::vector<BenchRecipe> recipes;
  for (const std::string& name : all) {
    BenchRecipe& recipe = recipes.emplace_back();
    recipe.name = name.empty() ? "default" : name;
    const auto options = TrainOptions(recipe.settings);
    if (!name.empty()) ReadToml(FindRecipe(name).text, "recipe '" + name + "'", options);
    ApplyFlags(given, options);
    recipe.settings.freeze_through = "none";  // steps of all layers, as its peers'
  }
  return recipes;
}

std::vector<Option> BenchOptions(TrainSettings& settings, const std::set<std::string>& names) {
  std::vector<Option> options = OnlyOptions(TrainOptions(settings), names);
  for (Option& option : options) {
    if (option.name == "image-size") option.help = "side of the noise images in pixels; 0: 32";
    if (option.name == "batch-size") option.help = "images a step; a recipe's own unless given";
  }
  return options;
}

Compute BenchCompute(const GivenFlags& given) {
  ComputeSettings settings;
  const auto options = ComputeOptions(settings);
  GivenFlags flags = given;
  std::erase_if(flags, [&](const auto& flag) {  // a part may have others
    return std::none_of(options.begin(), options.end(), [&](const Option& o) { return o.name == flag.first; });
  });
  ApplyFlags(flags, options);
  return PrepareCompute(settings);
}

std::vector<KernelSpeed> TimeRecipesKernels(const std::vector<BenchRecipe>& recipes, int threads,
                                            const Effort& effort) {
  std::vector<Model> models;
  models.reserve(recipes.size());
  std::vector<NamedNetwork> networks;
  for (const BenchRecipe& recipe : recipes) {
    models.push_back(NoiseModel(recipe.settings, kBenchClasses));
    networks.push_back({recipe.name, models.back().network, recipe.settings.batch_size});
  }
  ActivityLine line;
  return TimeKernels(networks, threads, effort,
                     [&](const std::string& what, int64_t done, int64_t total) { line.Update(what, done, total); });
}

double WarnWhenBusy() {
  constexpr double kBusy = 0.1;
  const double share = BusyShare();
  if (share > kBusy) {
    std::fprintf(stderr, "warning: other programs take %.0f %% of the processors' time: these figures mean little\n",
                 100 * share);
  }
  return share;
}

std::string BenchHost(const Compute& compute) {
  return fmt::format("{}, {} on {} with {} thread{}", DescribeHost().value("cpu", ""), PrecisionName(compute.precision),
                     compute.device.str(), compute.threads, compute.threads == 1 ? "" : "s");
}

Json BenchHostJson(const Compute& compute, double busy) {
  return {{"precision", PrecisionName(compute.precision)},
          {"device", compute.device.str()},
          {"threads", compute.threads},
          {"busy", busy},
          {"host", DescribeHost()}};
}

}  // namespace spotter
