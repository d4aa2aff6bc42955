// SPDX-License-Identifier: Apache-2.0
// What machine this is, for a run's record: a number without its machine means little.
#pragma once

#include "base/json.h"

namespace spotter {

/// cpu (model name), cores (usable), memory_bytes, system (kernel and release). Nothing that names the user or the
/// host.
Json DescribeHost();

}  // namespace spotter
