// SPDX-License-Identifier: Apache-2.0
#include "commands/seeds.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/stop_signal.h"
#include "base/text.h"
#include "commands/load.h"
#include "evaluate/statistics.h"
#include "page/comparison.h"
#include "page/write_report.h"
#include "report/tables.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

Json ReadSeries(const fs::path& folder) {
  const Json json = Json::parse(ReadFile(folder / "seeds.json"), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("data") || !json.contains("seeds"))
    Fail(ExitCode::kModel, "'{}' is damaged: data and seeds were expected in it", (folder / "seeds.json").string());
  return json;
}

fs::path RunPath(const fs::path& folder, int64_t seed) { return folder / fmt::format("seed-{}", seed); }

std::string Headline(const Spread& spread, const std::string& split) {
  const std::string where = split == "test" ? "Test" : split == "validation" ? "Validation" : "Training";
  return fmt::format(
      "{} accuracy over {} seeds: {} ± {} (mean ± standard deviation); 95 % t-interval of the mean {} to {}.", where,
      spread.n, Percent(spread.mean), Percent(spread.standard_deviation), Percent(std::max(0.0, spread.low)),
      Percent(std::min(1.0, spread.high)));
}

/// Compares the finished runs, and writes and prints what they come to.
void Conclude(const fs::path& folder, int64_t first, int64_t seeds, bool json) {
  std::vector<ComparedRun> runs;
  std::vector<double> accuracies;
  for (int64_t seed = first; seed < first + seeds; ++seed) {
    runs.push_back(ReadComparedRun(RunFolder::Open(RunPath(folder, seed))));
    accuracies.push_back(runs.back().results.at("accuracy"));
  }
  const Spread spread = Summarise(accuracies);
  const std::string headline = Headline(spread, runs[0].split);
  Json record = ReadSeries(folder);
  record["accuracy"] = {{"evaluated_on", runs[0].split},
                        {"values", accuracies},
                        {"mean", spread.mean},
                        {"standard_deviation", spread.standard_deviation},
                        {"interval", {std::max(0.0, spread.low), std::min(1.0, spread.high)}}};
  WriteFileAtomically(folder / "seeds.json", DumpJson(record, 2) + "\n");
  WritePage(folder / "report.html", RenderComparison(runs, folder.filename().string(), headline));
  if (json) {
    std::puts(DumpJson({{"event", "seeds"}, {"folder", folder.string()}, {"accuracy", record["accuracy"]}}).c_str());
  } else {
    std::printf("\n%s\n%s\nEverything is in %s: report.html, seeds.json and a run a seed\n",
                ComparisonText(runs, /*with_tests=*/false).c_str(), headline.c_str(),
                ShellWord(folder.string()).c_str());
  }
}

int SayStopped(const fs::path& folder) {
  std::fprintf(stderr, "the series was stopped. Go on with: spotter train --resume %s\n",
               ShellWord(folder.string()).c_str());
  return static_cast<int>(ExitCode::kStopped);
}

}  // namespace

bool IsSeries(const fs::path& folder) { return PathExists(folder / "seeds.json"); }

int TrainSeeds(const TrainingRequest& request, int64_t seeds, const std::function<fs::path()>& open) {
  const int64_t first = request.settings.seed;
  std::optional<fs::path> folder;
  for (int64_t seed = first; seed < first + seeds; ++seed) {
    TrainingRequest one = request;
    one.settings.seed = seed;
    one.open = [&] {
      if (!folder) {
        folder = open();
        TrainSettings settings = request.settings;
        WriteFileAtomically(*folder / "recipe.toml", WriteToml(TrainOptions(settings), /*with_help=*/false));
        WriteFileAtomically(
            *folder / "seeds.json",
            DumpJson({{"data", LastingName(request.data)}, {"first_seed", first}, {"seeds", seeds}}, 2) + "\n");
      }
      return RunFolder::Create(RunPath(*folder, seed));
    };
    if (!request.json && !request.quiet)
      std::fprintf(stderr, "seed %lld (%lld of %lld)\n", static_cast<long long>(seed),
                   static_cast<long long>(seed - first + 1), static_cast<long long>(seeds));
    const int code = RunTraining(one);
    if (code != 0 || StopRequested()) return SayStopped(*folder);
  }
  Conclude(*folder, first, seeds, request.json);
  return 0;
}

int ResumeSeeds(const fs::path& folder, const std::string& moved_data, bool json, bool quiet) {
  const Json record = ReadSeries(folder);
  const std::string data = moved_data.empty() ? record["data"].get<std::string>() : moved_data;
  if (moved_data.empty()) CheckNotMoved(data, "spotter train DATA --resume " + ShellWord(folder.string()));
  const int64_t first = record.value("first_seed", int64_t{0}), seeds = record["seeds"];
  TrainSettings settings;
  const fs::path recipe = folder / "recipe.toml";
  ReadToml(ReadFile(recipe), recipe.string(), TrainOptions(settings));
  for (int64_t seed = first; seed < first + seeds; ++seed) {
    const fs::path path = RunPath(folder, seed);
    settings.seed = seed;
    TrainingRequest request{.data = data, .settings = settings, .json = json, .quiet = quiet};
    if (PathExists(path)) {
      const RunFolder run = RunFolder::Open(path);
      if (run.ReadRun().value("status", "") == "finished") continue;
      run.TakeOver();
      request.resume = PathExists(run.checkpoints() / "last.safetensors") || PathExists(run.path() / "metrics.csv");
      request.resumed_folder = true;
      request.open = [run] { return run; };
    } else {
      request.open = [path] { return RunFolder::Create(path); };
    }
    const int code = RunTraining(request);
    if (code != 0 || StopRequested()) return SayStopped(folder);
  }
  Conclude(folder, first, seeds, json);
  return 0;
}

}  // namespace spotter
