// SPDX-License-Identifier: Apache-2.0
// Learning-rate schedules. All but plateau are pure functions of progress; plateau follows the validation loss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spotter {

struct ScheduleSettings {
  std::string name = "constant";
  double learning_rate = 1e-3;   // the base (the peak, for one-cycle)
  double min_learning_rate = 0;  // where cosine and linear end, and what plateau and step never go below
  double warmup_epochs = 0;      // the rate rises in a straight line to the base over these epochs; then the schedule
  double warmup_start_factor = 0;  //   begins. The share of the base that it rises from
  double step_epochs = 10;       // step: multiplied by step_factor every so many epochs
  double step_factor = 0.1;
  double plateau_factor = 0.1;    // plateau: multiplied by this when the validation loss has not gone down
  int64_t plateau_patience = 10;  //   by more than 1e-4 for this many epochs
};

const std::vector<std::string>& ScheduleNames();  // constant, plateau, step, cosine, linear, one-cycle

/// The learning rate of the step that begins at `epoch` epochs of `epochs` (fractions count), without plateau's part.
/// Warm-up comes before the schedule, which is laid out over the epochs that are left, as torch's SequentialLR of LinearLR
/// and another, and Keras's CosineDecay(warmup_steps).
/// cosine: half a cosine from the base to the minimum. linear: a straight line there. one-cycle: Smith & Topin, as
/// torch.optim.lr_scheduler.OneCycleLR: cosine from base/25 up to the base over the first 30 %, then cosine down to
/// base/25e4; momentum is not cycled; warm-up does not apply. (torch's N steps span N - 1 intervals, ours N: here the
/// last step begins one interval before the end.)
double ScheduledRate(const ScheduleSettings& settings, double epoch, double epochs);

/// Whether the schedule is laid out over the number of epochs, so that another number changes every rate.
bool FollowsEpochs(const ScheduleSettings& settings);

/// keras.callbacks.ReduceLROnPlateau on the validation loss, with min_delta 1e-4 and no cooldown.
struct Plateau {
  double factor = 1;  // what the scheduled rate is multiplied by
  double best = 1e300;
  int64_t waited = 0;
};
/// Called after each epoch; changes `plateau` only when the schedule is plateau.
void ObserveLoss(const ScheduleSettings& settings, double validation_loss, Plateau& plateau);

}  // namespace spotter
