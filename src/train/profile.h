// SPDX-License-Identifier: Apache-2.0
// Where the time of training goes.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"

namespace spotter {

/// Seconds since training began, or went on, in this process.
struct Profile {
  int64_t images = 0;
  double data = 0;       // images gathered and augmented
  double loss = 0;       // the loss, its gradient, the count of right answers
  double optimizer = 0;  // the weights' step
  double forward = 0;    // of the network
  double backward = 0;
  std::vector<StepCost> steps;  // of forward and backward, one by one, where the engine computes them

  double seconds() const { return data + loss + optimizer + forward + backward; }
};

/// A table: phases, then the engine's steps with their share of the time and their GFLOPS (two a multiply-add of the
/// plain algorithm, so that a kernel that needs fewer may exceed the machine's peak).
std::string ProfileText(const Profile& profile);

}  // namespace spotter
