// SPDX-License-Identifier: Apache-2.0
#include "draw/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace spotter {
namespace {

constexpr double kRounding = 1e-9;  // of a step: a tick this far outside a range is within it
constexpr double kLargestPlain = 1e7;
constexpr double kSmallestPlainStep = 1e-5;

int Exponent(double value) { return static_cast<int>(std::floor(std::log10(value) + kRounding)); }

Ticks Multiples(const Range& range, double step) {
  Ticks ticks{step, {}};
  const double last = std::floor(range.high / step + kRounding);
  for (double i = std::ceil(range.low / step - kRounding); i <= last; ++i) ticks.values.push_back(i * step + 0.0);
  return ticks;
}

double Count(const Range& range, double step) {
  return std::floor(range.high / step + kRounding) - std::ceil(range.low / step - kRounding) + 1;
}

/// 0.0015 -> "1.5e-3".
std::string Scientific(double value, double step) {
  if (value == 0) return "0";
  const int exponent = Exponent(std::abs(value));
  const int decimals = std::max(0, exponent - Exponent(step));
  std::string digits = fmt::format("{:.{}f}", value / std::pow(10.0, exponent), decimals);
  if (decimals > 0) digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return fmt::format("{}e{}", digits, exponent);
}

std::string Decimal(double value, double step) {
  const int decimals = std::max(0, -Exponent(step));
  if (decimals == 0) return WithThousands(std::llround(value));
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

Ticks RoundTicks(const Range& range, int most, double least_step) {
  const double power = std::pow(10.0, Exponent((range.high - range.low) / (most + 1)));
  for (double scale = power;; scale *= 10) {
    for (const double digit : {1, 2, 5}) {
      const double step = digit * scale;
      if (step >= least_step * (1 - kRounding) && Count(range, step) <= most) return Multiples(range, step);
    }
  }
}

std::string TickLabel(double value, double step, ValueFormat format) {
  if (std::abs(value) < step * kRounding) value = 0;  // no "-0"
  const bool plain = std::abs(value) < kLargestPlain && step >= kSmallestPlainStep;
  if (format == ValueFormat::kScientific || !plain) return Scientific(value, step);
  return format == ValueFormat::kPercent ? Decimal(value * 100, step * 100) + " %" : Decimal(value, step);
}

}  // namespace spotter
