// SPDX-License-Identifier: Apache-2.0
// What an evaluation says, in words.
#pragma once

#include <string>
#include <vector>

#include "evaluate/metrics.h"

namespace spotter {

/// A few sentences: the classes it knows best and worst (by F1), the pair that is confused most with its share of all
/// errors. "It is best on ship and automobile (F1 81 % and 80 %) and weakest on cat (50 %). ..."
std::string Findings(const Metrics& metrics, const std::vector<std::string>& classes);

/// The class that images of `truth` are most often taken for, and how many; count 0 when none is taken wrongly.
struct Confusion {
  size_t prediction = 0;
  int64_t count = 0;
};
Confusion MostConfused(const Metrics& metrics, size_t truth);

}  // namespace spotter
