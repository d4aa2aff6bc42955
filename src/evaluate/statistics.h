// SPDX-License-Identifier: Apache-2.0
// Whether a difference between classifiers is more than chance, and how far repeated runs spread.
#pragma once

#include <cstdint>
#include <span>

namespace spotter {

/// Two classifiers on the same images.
struct McNemar {
  int64_t only_first = 0;   // images that only the first predicts right
  int64_t only_second = 0;  // images that only the second predicts right
  double p_value = 1;       // of the two being equally good; 1 when they never differ
};

/// McNemar's exact test, two-sided by the binomial distribution, as statsmodels' mcnemar(exact=True).
McNemar McNemarTest(int64_t only_first_right, int64_t only_second_right);

/// Values such as the accuracies of one recipe with several seeds.
struct Spread {
  int64_t n = 0;
  double mean = 0;
  double standard_deviation = 0;  // by n - 1
  double low = 0;                 // Student's t-interval for the mean, 95 %
  double high = 0;
};

/// Of at least one value. One alone says nothing about its spread: the deviation is 0, low and high are the value.
Spread Summarise(std::span<const double> values);

}  // namespace spotter
