// SPDX-License-Identifier: Apache-2.0
// spotter bench: how fast this machine trains.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/host.h"
#include "base/random.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "models/zoo.h"
#include "train/class_weights.h"
#include "train/new_model.h"
#include "train/recipes.h"
#include "train/train_step.h"

namespace spotter {
namespace {

struct Arguments {
  std::string recipe;
  int64_t steps = 100;
  int64_t classes = 10;
  bool json = false;
  bool profile = false;
  TrainSettings defaults;
  std::shared_ptr<GivenFlags> given;
};

/// What changes the work of a step; a recipe may name the others too, a flag may not.
std::vector<Option> StepOptions(TrainSettings& settings) {
  static const std::set<std::string> kNames = {
      "image-size",      "normalize",     "model",     "batch-size",       "seed",
      "label-smoothing", "class-weights", "optimizer", "weight-decay",     "momentum",
      "nesterov",        "flip",          "shift",     "shift-fill",       "device",
      "precision",       "threads",       "lookahead", "alternating-flip", "brightness",
      "contrast"};
  std::vector<Option> options = TrainOptions(settings);
  std::erase_if(options, [](const Option& option) { return !kNames.contains(option.name); });
  return options;
}

/// Colour noise with random labels: what an image shows does not change how long a step takes.
Dataset NoiseImages(int64_t n, int side, int64_t classes) {
  Dataset data;
  data.source = "noise";
  data.shape = {side, side, 3};
  for (int64_t c = 0; c < classes; ++c) data.classes.push_back(std::to_string(c));
  auto pixels = std::shared_ptr<uint8_t[]>(new uint8_t[static_cast<size_t>(n * data.shape.size())]);
  for (int64_t i = 0; i < n * data.shape.size(); ++i)
    pixels[static_cast<size_t>(i)] =
        static_cast<uint8_t>(RandomWords(0, Stream::kBench, 0, static_cast<uint64_t>(i))[0]);
  for (int64_t i = 0; i < n; ++i) data.labels.push_back(static_cast<int32_t>(i % classes));
  data.pixels = pixels;
  return data;
}

/// Seconds of each step, the first few left out.
std::vector<double> TimeSteps(const Arguments& a, const TrainSettings& settings, const Compute& compute) {
  constexpr int64_t kWarmUp = 5;
  constexpr int64_t kBatches = 16;  // different ones, so that the images don't all stay in a cache
  const Dataset data =
      NoiseImages(kBatches * settings.batch_size,
                  settings.data.image_size > 0 ? static_cast<int>(settings.data.image_size) : 32, a.classes);
  Splits splits;
  splits.train.resize(static_cast<size_t>(data.size()));
  std::iota(splits.train.begin(), splits.train.end(), int64_t{0});
  Model model = NewModel(settings, data, splits);
  model.network.MoveTo(compute.device);
  const auto optimizer = MakeOptimizer(settings.optimizer, model.network.parameters(), compute.precision);
  TrainStep step(
      {.data = data,
       .preprocessing = model.preprocessing,
       .network = model.network,
       .optimizer = *optimizer,
       .augmentation = ToAugmentation(settings),
       .compute = compute,
       .seed = static_cast<uint64_t>(settings.seed),
       .label_smoothing = settings.label_smoothing,
       .class_weights = ClassWeights(settings.class_weights, data.classes, ClassCounts(data, splits.train))});
  std::vector<double> seconds;
  for (int64_t i = 0; i < kWarmUp + a.steps; ++i) {
    const auto indices =
        std::span(splits.train)
            .subspan(static_cast<size_t>(i % kBatches * settings.batch_size), static_cast<size_t>(settings.batch_size));
    const auto begin = std::chrono::steady_clock::now();
    // As late in a run: the bias of a whitening convolution is not trained any more.
    step.Run(indices, i, 0, {.learning_rate = 1e-4, .factor = 1e-3, .epoch = 1e6});
    if (i >= kWarmUp)
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  if (a.profile) std::fputs((ProfileText(step.profile()) + "\n").c_str(), stderr);
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

int RunTrain(const Arguments& a) {
  TrainSettings settings;
  const auto options = TrainOptions(settings);
  if (!a.recipe.empty()) ReadToml(FindRecipe(a.recipe).text, "recipe '" + a.recipe + "'", options);
  ApplyFlags(*a.given, options);
  const Compute compute = PrepareCompute(settings.compute);
  const std::vector<double> seconds = TimeSteps(a, settings, compute);
  const auto rate = [&](double share) {
    return static_cast<double>(settings.batch_size) /
           seconds[static_cast<size_t>(share * static_cast<double>(seconds.size() - 1))];
  };
  const Json json = {{"bench", "train"},
                     {"recipe", a.recipe.empty() ? "default" : a.recipe},
                     {"batch_size", settings.batch_size},
                     {"steps", a.steps},
                     {"images_per_second", rate(0.5)},
                     {"images_per_second_p10", rate(0.9)},
                     {"images_per_second_p90", rate(0.1)},
                     {"step_ms", 1e3 * seconds[seconds.size() / 2]},
                     {"precision", PrecisionName(compute.precision)},
                     {"device", compute.device.str()},
                     {"threads", compute.threads},
                     {"host", DescribeHost()}};
  if (a.json) {
    std::puts(DumpJson(json).c_str());
  } else {
    std::printf("%s images/s (median of %lld steps of %lld images; 10 %% to 90 %%: %s to %s), %s, %d threads\n",
                WithThousands(static_cast<int64_t>(rate(0.5))).c_str(), static_cast<long long>(a.steps),
                static_cast<long long>(settings.batch_size), WithThousands(static_cast<int64_t>(rate(0.9))).c_str(),
                WithThousands(static_cast<int64_t>(rate(0.1))).c_str(), PrecisionName(compute.precision).c_str(),
                compute.threads);
  }
  return 0;
}

}  // namespace

Command BenchCommand() {
  return {
      "bench", "Measure how fast this machine trains",
      "  spotter bench train --recipe seed-003\n  spotter bench train --recipe seed-001 --batch-size 256 "
      "--steps 300 --json",
      [](CLI::App& app) {
        auto a = std::make_shared<Arguments>();
        app.require_subcommand(1);
        CLI::App* train = app.add_subcommand(
            "train", "training steps on noise images: loading, augmentation, forward, backward, optimizer");
        train->add_option("--recipe", a->recipe, "a named recipe or a TOML file");
        train->add_option("--steps", a->steps, "steps to time, after 5 to warm up")
            ->check(CLI::Range(1, 1000000))
            ->default_str("100");
        train->add_option("--classes", a->classes, "how many classes")->check(CLI::Range(2, 100000))->default_str("10");
        train->add_flag("--profile", a->profile, "show where the time went, phase by phase and step by step");
        train->add_flag("--json", a->json, "print one JSON object");
        a->given = AddFlags(*train, StepOptions(a->defaults));
        return [a] { return RunTrain(*a); };
      }};
}

}  // namespace spotter
