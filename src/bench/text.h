// SPDX-License-Identifier: Apache-2.0
// Measurements as tables for a terminal and as JSON.
#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "bench/network_kernels.h"
#include "bench/speed.h"

namespace spotter {

/// The speed of a recipe or a model, by name.
struct NamedSpeed {
  std::string name;
  Speed speed;
};

std::string PeakText(const MachinePeak& peak);

/// Kernels that wait for memory are told in GB/s and as a share of the memory's peak.
std::string KernelsText(const std::vector<KernelSpeed>& kernels, const MachinePeak& peak);
Json KernelsJson(const std::vector<KernelSpeed>& kernels, const MachinePeak& peak);  // an array, an object a kernel

/// `title` heads the column of names: "Training".
std::string SpeedText(const std::string& title, const std::vector<NamedSpeed>& speeds);
/// batch_size, images_per_second, NAME_ms and their ranges; `step` is what a batch is called ("step", "batch").
Json SpeedJson(const Speed& speed, const std::string& step);

}  // namespace spotter
