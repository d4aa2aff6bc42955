// SPDX-License-Identifier: Apache-2.0
// The charts on calibration, for the page and for picture files alike.
#pragma once

#include <vector>

#include "draw/chart.h"
#include "evaluate/calibration.h"

namespace spotter {

std::vector<ReliabilityBar> ReliabilityBars(const Calibration& calibration);
LineChart CoverageChart(const std::vector<CoveragePoint>& points);

}  // namespace spotter
