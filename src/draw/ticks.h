// SPDX-License-Identifier: Apache-2.0
// Where an axis has its ticks, and how they are written.
#pragma once

#include <string>
#include <vector>

#include "draw/chart.h"

namespace spotter {

struct Range {
  double low = 0;
  double high = 1;
};

struct Ticks {
  double step = 1;
  std::vector<double> values;  // rising
};

/// The multiples of 1, 2 or 5 times a power of ten within the range, of the smallest step that gives at most `most` of
/// them and is no smaller than `least_step`. The range is finite and not empty.
Ticks RoundTicks(const Range& range, int most, double least_step = 0);

/// A tick's label, with as many decimals as the step needs: "0.25", "25 %" (of 0.25), "2.5e-1".
std::string TickLabel(double value, double step, ValueFormat format);

}  // namespace spotter
