// SPDX-License-Identifier: Apache-2.0
// What a run has done so far: plain values that a checkpoint keeps and a report shows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/json.h"
#include "optimize/schedule.h"

namespace spotter {

/// One finished epoch. Accuracies are fractions; losses are mean cross-entropies (with label smoothing and class
/// weights in training, without in validation).
struct EpochRecord {
  int64_t epoch = 0;  // counted from 1
  double train_loss = 0;
  double train_accuracy = 0;
  std::optional<double> validation_loss;  // none when there are no validation images
  std::optional<double> validation_accuracy;
  double learning_rate = 0;       // of the epoch's last step
  double images_per_second = 0;   // training steps alone
  double data_wait_fraction = 0;  // the share of those in which the network waited for images
  double seconds = 0;             // validation and checkpoint included
};

/// Sums over the steps of the epoch under way.
struct EpochSums {
  int64_t steps = 0;
  int64_t images = 0;
  int64_t correct = 0;
  double loss = 0;  // sum over images
  double train_seconds = 0;
  double data_seconds = 0;
  double seconds = 0;  // all in all, before the run was last stopped
};

/// Everything beside weights and optimizer that decides how a run goes on.
struct TrainState {
  int64_t epochs_done = 0;
  EpochSums sums;  // of the epoch under way
  Plateau plateau;
  int64_t best_epoch = 0;  // 0: none yet
  double best_value = 0;   // of the monitored quantity; a loss is negated, so that more is better
  int64_t epochs_since_best = 0;
  bool stopped_early = false;
  std::vector<EpochRecord> history;

  double seconds() const;  // spent so far, validation and checkpoints included, over all the times it was resumed
};

Json ToJson(const EpochRecord& record);
Json ToJson(const std::vector<EpochRecord>& history);        // an array, an object an epoch
std::vector<EpochRecord> HistoryFromJson(const Json& json);  // throws std::exception on another form
Json ToJson(const TrainState& state);
TrainState TrainStateFromJson(const Json& json);  // throws std::exception on another form or on counts that can't be

}  // namespace spotter
