// SPDX-License-Identifier: Apache-2.0
// How often something is timed, and what the times come to.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/json.h"

namespace spotter {

/// What repeated measurements come to: the middle one, and the range that holds all but a tenth at each end (between
/// two values in proportion, as numpy.quantile does).
struct Quantiles {
  int64_t n = 0;
  double median = 0;
  double p10 = 0;
  double p90 = 0;
};

/// Of at least one value.
Quantiles QuantilesOf(std::vector<double> values);

/// {name: median, name_p10, name_p90}
Json ToJson(const Quantiles& quantiles, const std::string& name);

/// After `warm_up` calls that don't count: at least `least` and at most `most`, in between until `seconds` are over.
struct Effort {
  int64_t warm_up = 1;
  int64_t least = 5;
  int64_t most = 200;
  double seconds = 0.4;
};

/// Seconds of each call of call(0), call(1) ...; those that warm up come first in the count.
std::vector<double> TimeCalls(const std::function<void(int64_t)>& call, const Effort& effort);

/// Seconds of each of two calls that take turns, so that what else the machine does meets both.
std::vector<std::pair<double, double>> TimeInTurn(const std::function<void()>& a, const std::function<void()>& b,
                                                  const Effort& effort);

}  // namespace spotter
