// SPDX-License-Identifier: Apache-2.0
// What machine this is, for a run's record: a number without its machine means little.
#pragma once

#include "base/json.h"

namespace spotter {

/// cpu (model name; on ARM the numbers of implementer and part), cores (usable), memory_bytes, system (kernel and
/// release). Nothing that names the user or the host.
Json DescribeHost();

/// The share of all processors' time, in [0, 1], that others take while this process sleeps for a quarter of a second;
/// 0 where the system does not tell. Above a tenth or so figures of speed mean little.
double BusyShare();

}  // namespace spotter
