// SPDX-License-Identifier: Apache-2.0
// Several runs beside one another: what they reached, whether the difference is more than noise, how they differ.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evaluate/statistics.h"
#include "report/predictions.h"
#include "report/run_folder.h"
#include "train/history.h"

namespace spotter {

/// What the comparison reads of a finished run's folder.
struct ComparedRun {
  std::string name;  // the folder's
  Json run;          // run.json
  TrainState state;  // history and best epoch
  Json results;      // as evaluate --json
  std::string split;
  TrainSettings settings;
  std::vector<PredictionLine> predictions;
};

/// Throws Error(kUsage) when the run has not finished.
ComparedRun ReadComparedRun(const RunFolder& run);

/// McNemar's test of the most accurate run against another on the same images, its p corrected for the number of tests
/// by Holm's method; nothing when the images are others.
struct PairTest {
  size_t best = 0;
  size_t other = 0;
  std::optional<McNemar> test;
};
std::vector<PairTest> CompareWithBest(const std::vector<ComparedRun>& runs);

/// "A is right on 71.2 %, B on 69.8 % of the same 10,000 images: more than noise (p = 0.0003 by McNemar's test)."
std::string Sentence(const PairTest& pair, const std::vector<ComparedRun>& runs);

/// The settings in which the runs differ: option, then a value a run.
std::vector<std::vector<std::string>> DifferingSettings(const std::vector<ComparedRun>& runs);

/// What to print; and the page, with the curves overlaid. Of the seeds of one recipe (a `headline` is said first) no
/// differences are tested: the best of them is best by chance.
std::string ComparisonText(const std::vector<ComparedRun>& runs, bool with_tests = true);
std::string RenderComparison(const std::vector<ComparedRun>& runs, const std::string& title,
                             const std::string& headline);

}  // namespace spotter
