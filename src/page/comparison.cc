// SPDX-License-Identifier: Apache-2.0
#include "page/comparison.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "report/tables.h"

namespace spotter {
namespace {

double Accuracy(const ComparedRun& run) { return run.results.value("accuracy", 0.0); }

bool SameImages(const ComparedRun& a, const ComparedRun& b) {
  const auto data = [](const ComparedRun& run) { return run.run.value("/data/fingerprint"_json_pointer, ""); };
  return data(a) == data(b) && !a.predictions.empty() &&
         std::equal(
             a.predictions.begin(), a.predictions.end(), b.predictions.begin(), b.predictions.end(),
             [](const PredictionLine& x, const PredictionLine& y) { return x.file == y.file && x.label == y.label; });
}

McNemar Test(const ComparedRun& a, const ComparedRun& b) {
  int64_t only_a = 0, only_b = 0;
  for (size_t i = 0; i < a.predictions.size(); ++i) {
    only_a += a.predictions[i].correct() && !b.predictions[i].correct();
    only_b += b.predictions[i].correct() && !a.predictions[i].correct();
  }
  return McNemarTest(only_a, only_b);
}

/// Of several comparisons one falls below 5 % by chance more easily: the smallest p is multiplied by their number, the
/// next by one less, and so on (Holm 1979).
void CorrectByHolm(std::vector<PairTest>& pairs) {
  std::vector<McNemar*> tests;
  for (PairTest& pair : pairs) {
    if (pair.test) tests.push_back(&*pair.test);
  }
  std::stable_sort(tests.begin(), tests.end(),
                   [](const McNemar* a, const McNemar* b) { return a->p_value < b->p_value; });
  double before = 0;
  for (size_t i = 0; i < tests.size(); ++i) {
    const double corrected = tests[i]->p_value * static_cast<double>(tests.size() - i);
    tests[i]->p_value = before = std::min(1.0, std::max(before, corrected));
  }
}

}  // namespace

ComparedRun ReadComparedRun(const RunFolder& folder) {
  ComparedRun run;
  run.name = folder.name();
  run.run = folder.ReadRun();
  const auto file = folder.path() / "metrics.json";
  const Json metrics = PathExists(file) ? Json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false) : Json();
  if (run.run.value("status", "") != "finished" || !metrics.is_object() || !metrics.contains("evaluated_on")) {
    Fail(ExitCode::kUsage, "the run '{}' has not finished; go on with: spotter train --resume {}",
         folder.path().string(), ShellWord(folder.path().string()));
  }
  run.split = metrics["evaluated_on"];
  run.results = metrics.value(run.split, Json::object());
  run.state.best_epoch = metrics.value("best_epoch", int64_t{0});
  run.state.history = HistoryFromJson(metrics.at("history"));
  run.state.epochs_done = static_cast<int64_t>(run.state.history.size());
  run.settings = folder.ReadRecipe();
  run.predictions = ReadPredictions(folder.path() / "predictions.csv");
  return run;
}

std::vector<PairTest> CompareWithBest(const std::vector<ComparedRun>& runs) {
  const auto best = std::max_element(
      runs.begin(), runs.end(), [](const ComparedRun& a, const ComparedRun& b) { return Accuracy(a) < Accuracy(b); });
  std::vector<PairTest> pairs;
  for (size_t other = 0; other < runs.size(); ++other) {
    if (&runs[other] == &*best) continue;
    PairTest pair{static_cast<size_t>(best - runs.begin()), other, {}};
    if (SameImages(*best, runs[other])) pair.test = Test(*best, runs[other]);
    pairs.push_back(pair);
  }
  CorrectByHolm(pairs);
  return pairs;
}

std::string Sentence(const PairTest& pair, const std::vector<ComparedRun>& runs) {
  const ComparedRun& best = runs[pair.best];
  const ComparedRun& other = runs[pair.other];
  if (!pair.test) {
    return fmt::format("{} and {} were not evaluated on the same images, so their difference can't be tested.",
                       best.name, other.name);
  }
  const double p = pair.test->p_value;
  const std::string chance = p < 0.0001 ? "p < 0.0001" : fmt::format("p = {:.2g}", p);
  return fmt::format(
      "{} is right on {}, {} on {} of the same {} images: {} ({} by McNemar's exact test; {} images only the first has "
      "right, {} only the second).",
      best.name, Percent(Accuracy(best)), other.name, Percent(Accuracy(other)),
      WithThousands(static_cast<int64_t>(best.predictions.size())),
      p < 0.05 ? "more than noise" : "no more than noise explains", chance, pair.test->only_first,
      pair.test->only_second);
}

std::vector<std::vector<std::string>> DifferingSettings(const std::vector<ComparedRun>& runs) {
  std::vector<std::vector<std::string>> table;
  for (const ComparedRun& run : runs) {
    TrainSettings settings = run.settings;
    const auto options = TrainOptions(settings);
    table.resize(options.size());
    for (size_t i = 0; i < options.size(); ++i) {
      if (table[i].empty()) table[i].push_back(options[i].name);
      table[i].push_back(OptionText(options[i]));
    }
  }
  std::erase_if(table, [](const auto& row) {
    return std::all_of(row.begin() + 1, row.end(), [&](const std::string& value) { return value == row[1]; });
  });
  return table;
}

std::string ComparisonText(const std::vector<ComparedRun>& runs, bool with_tests) {
  size_t width = 3;
  for (const ComparedRun& run : runs) width = std::max(width, run.name.size());
  std::string text =
      fmt::format("{:<{}}  accuracy       95 % interval    macro F1    loss  epochs          time\n", "run", width);
  for (const ComparedRun& run : runs) {
    const auto interval = run.results.value("accuracy_interval", std::vector<double>{0, 1});
    text += fmt::format("{:<{}}  {:>8}  {:>8} to {:>7}  {:>8.3f}  {:>6.4f}  {:>6}  {:>12}\n", Printable(run.name),
                        width, Percent(Accuracy(run)), Percent(interval.at(0)), Percent(interval.at(1)),
                        run.results.value("/macro/f1"_json_pointer, 0.0), run.results.value("loss", 0.0),
                        run.state.epochs_done, HumanSeconds(run.state.seconds()));
  }
  if (!with_tests) return text;
  text += '\n';
  for (const PairTest& pair : CompareWithBest(runs)) text += Printable(Sentence(pair, runs)) + "\n";
  return text;
}

}  // namespace spotter
