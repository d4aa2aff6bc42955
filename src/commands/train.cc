// SPDX-License-Identifier: Apache-2.0
// spotter train: a new run, or one that goes on.
#include <CLI/CLI.hpp>
#include <cctype>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "commands/load.h"
#include "commands/seeds.h"
#include "commands/training_run.h"
#include "models/zoo.h"
#include "train/recipes.h"

namespace spotter {
namespace {

struct Arguments {
  std::string data;
  std::string recipe;
  std::string resume;
  std::string output;
  int64_t seeds = 1;
  bool live = false;
  int64_t live_port = 0;
  bool json = false;
  bool quiet = false;
  bool profile = false;
  TrainSettings defaults;  // what the help shows
  std::shared_ptr<GivenFlags> given;
};

/// A short name for folders: the data's file name without its endings ('.' has one too).
std::string Stem(const std::string& data) {
  std::string stem = LastName(data);
  stem = stem.substr(0, stem.find('.', 1));
  for (char& c : stem) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') c = '-';
  }
  return stem.empty() ? "data" : stem;
}

/// A flag that names another optimizer than the recipe's, or the default, brings that one's usual learning rate with
/// it, unless a flag gives that too: a rate for one optimizer is mostly useless for another.
void FollowOptimizer(const std::string& before, const GivenFlags& given, TrainSettings& settings) {
  if (settings.optimizer.name == before || WasGiven(given, "learning-rate")) return;
  settings.schedule.learning_rate = UsualLearningRate(settings.optimizer.name);
}

/// A flag that names another network takes the layer of a recipe's --freeze-through away: it is one of the recipe's.
void FollowModel(const GivenFlags& given, TrainSettings& settings) {
  if (WasGiven(given, "model") && !WasGiven(given, "freeze-through")) settings.freeze_through = "none";
}

/// A flag that counts only beside another one.
struct Condition {
  std::string flag;
  bool met;
  std::string needs;
};

/// A flag without effect is given with what it needs, or beside a recipe's.
void RefuseWithoutEffect(const GivenFlags& given, const TrainSettings& s) {
  const std::string &optimizer = s.optimizer.name, &schedule = s.schedule.name;
  const bool moves = optimizer == "sgd" || optimizer == "muon";
  const bool adapts = optimizer == "adam" || optimizer == "adamw";
  const Condition conditions[] = {
      {"freeze-after", s.freeze_through != "none", "--freeze-through, whose layers it stops"},
      {"backward-share-after", s.backward_share < 1, "--backward-share, below 1"},
      {"momentum", moves, "--optimizer sgd or muon"},
      {"nesterov", moves, "--optimizer sgd or muon"},
      {"bias-learning-rate", moves, "--optimizer sgd or muon"},
      {"head-learning-rate", moves, "--optimizer sgd or muon"},
      {"whitening-bias-epochs", moves, "--optimizer sgd or muon"},
      {"muon-momentum", optimizer == "muon", "--optimizer muon"},
      {"beta1", adapts, "--optimizer adam or adamw"},
      {"beta2", adapts, "--optimizer adam or adamw"},
      {"epsilon", adapts, "--optimizer adam or adamw"},
      {"warmup-epochs", schedule != "one-cycle", "another --schedule than one-cycle, which has its own"},
      {"warmup-start-factor", schedule != "one-cycle" && s.schedule.warmup_epochs > 0, "--warmup-epochs, above 0"},
      {"min-learning-rate", schedule != "constant" && schedule != "one-cycle",
       "--schedule cosine, linear, step or plateau"},
      {"step-epochs", schedule == "step", "--schedule step"},
      {"step-factor", schedule == "step", "--schedule step"},
      {"plateau-factor", schedule == "plateau", "--schedule plateau"},
      {"plateau-patience", schedule == "plateau", "--schedule plateau"},
      {"alternating-flip", s.flip, "--flip"},
      {"shift-fill", s.shift > 0, "--shift, above 0"},
      {"views-below", s.views > 1, "--views 2 or 6"},
  };
  for (const auto& [flag, met, needs] : conditions) {
    if (!met && WasGiven(given, flag))
      Fail(ExitCode::kUsage, "--{} has no effect without {}; give that too, or leave --{} out", flag, needs, flag);
  }
  const bool shared = WasGiven(given, "backward-share") || WasGiven(given, "backward-share-after");
  if (shared && s.backward_share < 1 && s.backward_share_after >= s.epochs)
    Fail(ExitCode::kUsage, "--backward-share-after {} leaves no epoch of --epochs {} to --backward-share; give less",
         s.backward_share_after, s.epochs);
}

TrainSettings SettingsOfNewRun(const Arguments& a) {
  TrainSettings settings;
  const std::vector<Option> options = TrainOptions(settings);
  if (!a.recipe.empty()) {
    const Recipe recipe = FindRecipe(a.recipe);
    ReadToml(recipe.text, "recipe '" + a.recipe + "'", options);
  }
  const std::string optimizer = settings.optimizer.name;
  ApplyFlags(*a.given, options);
  FollowOptimizer(optimizer, *a.given, settings);
  FollowModel(*a.given, settings);
  RefuseWithoutEffect(*a.given, settings);
  settings.model = ResolveModel(settings.model);  // a run's recipe says what the name meant
  return settings;
}

TrainSettings SettingsOfResumedRun(const Arguments& a, TrainSettings settings) {
  const std::vector<Option> options = TrainOptions(settings);
  for (const auto& [name, text] : *a.given) {
    for (const Option& option : options) {
      if (option.name == name && !option.on_resume) {
        Fail(ExitCode::kUsage,
             "--{} can't change when a run is resumed; only --epochs, --early-stopping, --threads, --device "
             "and --precision can",
             name);
      }
    }
  }
  ApplyFlags(*a.given, options);
  return settings;
}

/// A finished run goes on only when it's told how; Train() looks at the rest.
void RefuseNothingToDo(const RunFolder& run, const Json& record, const TrainSettings& before,
                       const TrainSettings& settings) {
  if (record.value("status", "") != "finished") return;
  if (record.value("stopped_early", false)) {
    if (settings.early_stopping == 0 || settings.early_stopping > before.early_stopping) return;
    Fail(ExitCode::kUsage,
         "the run '{}' stopped early, after {} epochs, the last {} without a better one; give a larger "
         "--early-stopping, or 0, to train on",
         run.path().string(), record.value("epochs_done", int64_t{0}), before.early_stopping);
  }
  if (settings.epochs > before.epochs) return;
  Fail(ExitCode::kUsage, "the run '{}' has finished its {} epochs; give --epochs N with a larger N to train on",
       run.path().string(), before.epochs);
}

/// What a run that goes on with another number of epochs does otherwise than it would have; empty: nothing.
std::string OfOtherEpochs(const TrainSettings& before, const TrainSettings& settings) {
  if (before.epochs == settings.epochs) return "";
  std::string note;
  if (FollowsEpochs(settings.schedule)) {
    note = fmt::format("the {} schedule, made for {} epochs, is stretched to {}: the learning rate jumps",
                       settings.schedule.name, before.epochs, settings.epochs);
  }
  if (settings.freeze_through != "none") {
    const auto stop = [](const TrainSettings& s) { return s.freeze_after * static_cast<double>(s.epochs); };
    note += fmt::format("{}the layers through {} stop learning after {:.4g} epochs, not {:.4g}",
                        note.empty() ? "" : "; ", settings.freeze_through, stop(settings), stop(before));
  }
  return note;
}

std::optional<int> LivePort(const Arguments& a) {
  if (!a.live && a.live_port == 0) return {};
  return static_cast<int>(a.live_port);
}

int Resume(const Arguments& a) {
  if (IsSeries(a.resume)) {
    if (!a.given->empty() || !a.recipe.empty() || !a.output.empty() || a.seeds > 1 || LivePort(a) || a.profile)
      Fail(ExitCode::kUsage, "--resume goes on with a series of seeds as it is: only DATA can be given with it");
    return ResumeSeeds(a.resume, a.data, a.json, a.quiet);
  }
  if (a.seeds > 1)
    Fail(ExitCode::kUsage, "--seeds begins a new series; '{}' is one run, which can't become one", a.resume);
  const RunFolder run = RunFolder::Open(a.resume);
  if (!a.recipe.empty() || !a.output.empty())
    Fail(ExitCode::kUsage, "--resume goes on with a run as it is: --recipe and --output can't be given with it");
  const TrainSettings before = run.ReadRecipe();
  const TrainSettings settings = SettingsOfResumedRun(a, before);
  run.TakeOver();
  const Json record = run.ReadRun();
  RefuseNothingToDo(run, record, before, settings);
  const std::string own_data = record.value("data", Json::object()).value("source", "");
  if (a.data.empty()) CheckNotMoved(own_data, "spotter train DATA --resume " + ShellWord(a.resume));
  return RunTraining(
      {.data = a.data.empty() ? own_data : a.data,
       .settings = settings,
       // A run that was killed before its first checkpoint begins anew; where epochs are done, Train misses the
       // checkpoint.
       .resume = PathExists(run.checkpoints() / "last.safetensors") || PathExists(run.path() / "metrics.csv"),
       .resumed_folder = true,
       .note = OfOtherEpochs(before, settings),
       .json = a.json,
       .quiet = a.quiet,
       .profile = a.profile,
       .live_port = LivePort(a),
       .open = [&] { return run; }});
}

int Run(const Arguments& a) {
  if (!a.resume.empty()) return Resume(a);
  if (a.data.empty())
    Fail(ExitCode::kUsage,
         "what to train on is missing: spotter train DATA, where DATA is cifar10, fashion-mnist or a path");
  const TrainSettings settings = SettingsOfNewRun(a);
  if (!a.output.empty()) RunFolder::RefuseExisting(a.output);  // before any work
  const std::string stem = Stem(a.data) + "-" + (a.recipe.empty() ? "default" : Stem(a.recipe));
  TrainingRequest request{.data = a.data,
                          .settings = settings,
                          .json = a.json,
                          .quiet = a.quiet,
                          .profile = a.profile,
                          .live_port = LivePort(a)};
  if (a.seeds > 1) {
    if (LivePort(a)) Fail(ExitCode::kUsage, "--live shows one run, and --seeds trains several: give one of them");
    return TrainSeeds(request, a.seeds,
                      [&] { return a.output.empty() ? MakeNumberedFolder(stem) : MakeNewFolder(a.output); });
  }
  request.open = [&] { return a.output.empty() ? RunFolder::CreateNumbered(stem) : RunFolder::Create(a.output); };
  return RunTraining(request);
}

}  // namespace

Command TrainCommand() {
  return {
      "train", "Train a classifier on a data set; the run's folder holds everything about it",
      "  spotter train cifar10\n  spotter train my-pictures/ --epochs 40 --flip --shift 4\n"
      "  spotter train cifar10 --recipe seed-003 --seed 1\n"
      "  spotter train cifar10 --model \"conv 32 relu, maxpool 2, flatten, dense 128 relu, dense classes\"\n"
      "  spotter train cifar10 --live                           the report in a browser while it trains\n"
      "  spotter train cifar10 --seeds 5                        mean and spread of the accuracy\n"
      "  spotter train cifar10 --recipe speed --profile         where the time went\n"
      "  spotter train --resume runs/cifar10-seed-003-1 --epochs 60",
      [](CLI::App& app) {
        auto a = std::make_shared<Arguments>();
        app.add_option("data", a->data, "a name (spotter data), a folder or an archive");
        app.add_option("--recipe", a->recipe, "a named recipe (spotter recipes) or a TOML file; flags override it");
        app.add_option("--resume", a->resume, "go on with this run")->type_name("RUN");
        app.add_option("--output", a->output, "the run's folder; runs/DATA-RECIPE-N unless given")->type_name("FOLDER");
        app.add_option("--seeds", a->seeds, "train with so many seeds, and tell the accuracy's mean and spread")
            ->check(CLI::Range(1, 1000));
        app.add_flag("--live", a->live,
                     "show the report in a browser while training, at a port of 127.0.0.1 that is free");
        app.add_option("--live-port", a->live_port, "the same, at this port")->check(CLI::Range(1, 65535));
        app.add_flag("--profile", a->profile,
                     "show where the time went, phase by phase and step by step of the network, with GFLOPS and their "
                     "share of this machine's peak; kept as profile.txt in the run's folder");
        app.add_flag("--json", a->json, "print JSON lines");
        app.add_flag("--quiet", a->quiet, "no progress");
        a->given = AddFlags(app, TrainOptions(a->defaults));
        return [a] { return Run(*a); };
      }};
}

}  // namespace spotter
