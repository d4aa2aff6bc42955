// SPDX-License-Identifier: Apache-2.0
#include "optimize/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace spotter {
namespace {

constexpr double kOneCycleRise = 0.3;  // the share of the run in which the rate rises
constexpr double kOneCycleStart = 25;  // the first rate is the peak divided by this,
constexpr double kOneCycleEnd = 25e4;  // and the last one by this
constexpr double kPlateauMinDelta = 1e-4;

/// How much of `all` is done: 0 to 1.
double Progress(double done, double all) {
  return std::clamp(done / std::max(all, 1e-9), 0.0, 1.0);
}

/// From `from` at 0 to `to` at 1, as half a cosine.
double Cosine(double from, double to, double progress) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

double OneCycle(double peak, double progress) {
  if (progress < kOneCycleRise) return Cosine(peak / kOneCycleStart, peak, progress / kOneCycleRise);
  return Cosine(peak, peak / kOneCycleEnd, (progress - kOneCycleRise) / (1 - kOneCycleRise));
}

}  // namespace

const std::vector<std::string>& ScheduleNames() {
  static const std::vector<std::string> names = {"constant", "plateau", "step", "cosine", "linear", "one-cycle"};
  return names;
}

double ScheduledRate(const ScheduleSettings& s, double epoch, double epochs) {
  const double peak = s.learning_rate;
  if (s.name == "one-cycle") return OneCycle(peak, Progress(epoch, epochs));
  if (epoch < s.warmup_epochs) return peak * std::lerp(s.warmup_start_factor, 1.0, epoch / s.warmup_epochs);
  const double since = epoch - s.warmup_epochs;
  const double progress = Progress(since, epochs - s.warmup_epochs);
  const double lowest = std::min(s.min_learning_rate, peak);
  if (s.name == "step") return std::max(lowest, peak * std::pow(s.step_factor, std::floor(since / s.step_epochs)));
  if (s.name == "cosine") return Cosine(peak, lowest, progress);
  if (s.name == "linear") return std::lerp(peak, lowest, progress);
  return peak;
}

bool FollowsEpochs(const ScheduleSettings& s) {
  return s.name == "cosine" || s.name == "linear" || s.name == "one-cycle";
}

void ObserveLoss(const ScheduleSettings& s, double validation_loss, Plateau& plateau) {
  if (s.name != "plateau") return;
  if (validation_loss < plateau.best - kPlateauMinDelta) {
    plateau.best = validation_loss;
    plateau.waited = 0;
    return;
  }
  if (++plateau.waited < s.plateau_patience) return;
  const double lowest = s.learning_rate > 0 ? s.min_learning_rate / s.learning_rate : 0;
  plateau.factor = std::max(plateau.factor * s.plateau_factor, std::min(lowest, 1.0));
  plateau.waited = 0;
}

}  // namespace spotter
