// SPDX-License-Identifier: Apache-2.0
// Weights of the classes in the loss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spotter {

/// From the option's text: "none" gives an empty list; "balanced" images / (classes * images of the class),
/// scikit-learn's formula; "cat=2,dog=0.5" those weights, which must be above 0, and 1 for the others. The loss is the
/// weighted mean: divided by the batch's sum of weights. Throws Error(kUsage).
std::vector<double> ClassWeights(const std::string& text, const std::vector<std::string>& classes,
                                 const std::vector<int64_t>& counts);

}  // namespace spotter
