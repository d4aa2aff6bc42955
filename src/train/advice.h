// SPDX-License-Identifier: Apache-2.0
// "Is it learning?": what is off with a run, in one plain sentence each, with the option to try.
#pragma once

#include <string>
#include <vector>

#include "train/history.h"
#include "train/settings.h"

namespace spotter {

struct Advice {
  std::string topic;  // a stable word: "not learning", "one class", "learning rate", "overfitting", "unfinished",
                      // "waiting", "imbalance"
  std::string text;   // "the loss stays at 2.30, ...; try --learning-rate 0.0001"
};

/// What is off after the epochs so far, most serious first; empty when all is well. `train_counts` and
/// `validation_counts`: images a class. The rules look at whole epochs only, and are silent before the third one
/// (imbalance is told at once).
std::vector<Advice> Advise(const std::vector<EpochRecord>& history, const TrainSettings& settings,
                           const std::vector<int64_t>& train_counts, const std::vector<int64_t>& validation_counts);

}  // namespace spotter
