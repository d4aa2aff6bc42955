// SPDX-License-Identifier: Apache-2.0
// A training run on disk: everything from which it goes on bit for bit as if it had never stopped.
//
// Data order, augmentation and dropout are pure functions of seed, epoch and index, so weights, optimizer state and
// TrainState are all there is to save.
#pragma once

#include <filesystem>

#include "models/network.h"
#include "optimize/optimizer.h"
#include "train/history.h"

namespace spotter {

/// Writes atomically. `fingerprint` names what must be the same for the run to go on exactly (data, threads,
/// precision). Throws Error(kIo); the previous checkpoint then stays as it was.
void SaveCheckpoint(const std::filesystem::path& path, const Network& network, Optimizer& optimizer,
                    const TrainState& state, const Json& fingerprint);

struct RestoredRun {
  TrainState state;
  Json fingerprint;
};
/// Copies weights and optimizer state from the file. Throws Error(kModel) when it is damaged or of another network or
/// optimizer.
RestoredRun LoadCheckpoint(const std::filesystem::path& path, const Network& network, Optimizer& optimizer);

}  // namespace spotter
