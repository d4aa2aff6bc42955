// SPDX-License-Identifier: Apache-2.0
#include "evaluate/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace spotter {

McNemar McNemarTest(int64_t only_first_right, int64_t only_second_right) {
  McNemar test{only_first_right, only_second_right};
  const int64_t differ = only_first_right + only_second_right;
  if (differ == 0) return test;
  const boost::math::binomial chance(static_cast<double>(differ), 0.5);
  const auto fewer = static_cast<double>(std::min(only_first_right, only_second_right));
  test.p_value = std::min(1.0, 2 * boost::math::cdf(chance, fewer));
  return test;
}

Spread Summarise(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  Spread spread{static_cast<int64_t>(values.size()), mean, 0, mean, mean};
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  spread.standard_deviation = std::sqrt(squares / (n - 1));
  const double quantile = boost::math::quantile(boost::math::students_t(n - 1), 0.975);
  const double half = quantile * spread.standard_deviation / std::sqrt(n);
  spread.low = mean - half;
  spread.high = mean + half;
  return spread;
}

}  // namespace spotter
