// SPDX-License-Identifier: Apache-2.0
// Where the time of training goes.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "engine/engine.h"

namespace spotter {

/// Seconds spent in this process; what a resumed run took before is not in it.
struct Profile {
  int64_t images = 0;  // trained on
  // The steps of training.
  double data = 0;       // images gathered and augmented
  double loss = 0;       // the loss, its gradient, the count of right answers
  double optimizer = 0;  // the weights' step
  double forward = 0;    // of the network
  double backward = 0;
  std::vector<StepCost> steps = {};  // of forward and backward, one by one, where the engine computes them
  // What is around them in a run; 0 where there is none of it.
  double loading = 0;      // the data set
  double preparing = 0;    // the network, and what is measured on the images for it
  double validation = 0;   // after each epoch
  double checkpoints = 0;  // written, and the best one read again
  double evaluation = 0;   // of the finished model
  double report = 0;       // page, pictures, tables
  double wall = 0;         // the whole run's; what the phases leave of it is everything else. 0: the phases are all

  double seconds() const;  // the phases' sum
};

/// What only the trainer knows, added to what is known of the run around it: phases and steps of `training`.
Profile Joined(const Profile& run, const Profile& training);

/// A table: phases with their share of the time, then the engine's steps with theirs, their GFLOPS and the share of the
/// machine's `peak_gflops`. Two a multiply-add of the plain algorithm: a kernel that needs fewer may exceed the peak.
std::string ProfileText(const Profile& profile, double peak_gflops);

/// The same for programs: seconds of the phases by name, the steps.
Json ProfileJson(const Profile& profile, double peak_gflops);

}  // namespace spotter
