// SPDX-License-Identifier: Apache-2.0
#include "bench/timing.h"

#include <algorithm>

#include "base/stopwatch.h"

namespace spotter {
namespace {

template <typename Call>
double Seconds(const Call& call) {
  const Stopwatch watch;
  call();
  return watch.Seconds();
}

/// `time` once for each round that counts; its argument numbers all rounds.
template <typename Time>
void Repeat(const Effort& effort, const Time& time) {
  int64_t round = 0;
  while (round < effort.warm_up) time(round++, /*counts=*/false);
  const Stopwatch watch;
  for (int64_t n = 0; n < effort.least || (n < effort.most && watch.Seconds() < effort.seconds); ++n)
    time(round++, /*counts=*/true);
}

}  // namespace

Quantiles QuantilesOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {.n = static_cast<int64_t>(values.size()), .median = at(0.5), .p10 = at(0.1), .p90 = at(0.9)};
}

Json ToJson(const Quantiles& quantiles, const std::string& name) {
  return {{name, quantiles.median}, {name + "_p10", quantiles.p10}, {name + "_p90", quantiles.p90}};
}

std::vector<double> TimeCalls(const std::function<void(int64_t)>& call, const Effort& effort) {
  std::vector<double> seconds;
  Repeat(effort, [&](int64_t round, bool counts) {
    const double time = Seconds([&] { call(round); });
    if (counts) seconds.push_back(time);
  });
  return seconds;
}

std::vector<std::pair<double, double>> TimeInTurn(const std::function<void()>& a, const std::function<void()>& b,
                                                  const Effort& effort) {
  std::vector<std::pair<double, double>> seconds;
  Repeat(effort, [&](int64_t, bool counts) {
    const double first = Seconds(a);
    const double second = Seconds(b);
    if (counts) seconds.emplace_back(first, second);
  });
  return seconds;
}

}  // namespace spotter
