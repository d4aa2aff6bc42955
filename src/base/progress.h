// SPDX-License-Identifier: Apache-2.0
// How long work tells what it is doing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace spotter {

/// Called with what is being done, how much of it is done, and how much there is in all (0: not known).
using Progress = std::function<void(const std::string& what, int64_t done, int64_t total)>;

}  // namespace spotter
