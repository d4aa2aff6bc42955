// SPDX-License-Identifier: Apache-2.0
// Layers that stop learning before the others: what lies in front settles first, and its gradients cost most (Brock et
// al., "FreezeOut: Accelerate Training by Progressively Freezing Layers", 2017).
#pragma once

#include <string>

#include "models/network.h"

namespace spotter {

/// Throws Error(kUsage) where the network has no layer of that name, or nothing behind it would learn.
void CheckFreeze(const Network& network, const std::string& through);

/// The layer of that name and all before it ask for no gradient from now on, and have none. Batch norm among them still
/// normalises by the batch and moves its averages.
void FreezeThrough(const Network& network, const std::string& through);

}  // namespace spotter
