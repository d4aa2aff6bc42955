// SPDX-License-Identifier: Apache-2.0
#include "evaluate/calibration.h"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>

#include "evaluate/evaluator.h"

namespace spotter {
namespace {

constexpr double kLowestTemperature = 0.05;
constexpr double kHighestTemperature = 20;

std::span<const float> Row(std::span<const float> logits, size_t image, int64_t classes) {
  return logits.subspan(image * static_cast<size_t>(classes), static_cast<size_t>(classes));
}

struct Answer {
  double confidence = 0;
  bool right = false;
};

std::vector<Answer> Answers(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes) {
  std::vector<Answer> answers;
  answers.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = Row(logits, i, classes);
    const auto predicted = std::max_element(row.begin(), row.end()) - row.begin();
    const auto p = Probabilities(row);
    answers.push_back({*std::max_element(p.begin(), p.end()), predicted == labels[i]});
  }
  return answers;
}

/// sum over c of softmax(scale * row)[c] * (row[c] - row[label]): what an image adds to the slope of the cross-entropy
/// over the scale.
double Slope(std::span<const float> row, int32_t label, double scale) {
  const double largest = *std::max_element(row.begin(), row.end());
  const double own = row[static_cast<size_t>(label)];
  double weights = 0;
  double sum = 0;
  for (const float logit : row) {
    const double weight = std::exp(scale * (logit - largest));
    weights += weight;
    sum += weight * (logit - own);
  }
  return sum / weights;
}

/// The cross-entropy falls for ever as the temperature does, unless some image has a logit above its label's.
bool HasMinimum(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes) {
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = Row(logits, i, classes);
    if (*std::max_element(row.begin(), row.end()) > row[static_cast<size_t>(labels[i])]) return true;
  }
  return false;
}

}  // namespace

Calibration MeasureCalibration(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes,
                               int bins) {
  Calibration result;
  for (int b = 0; b < bins; ++b)
    result.bins.push_back({static_cast<double>(b) / bins, static_cast<double>(b + 1) / bins});
  for (const Answer& answer : Answers(labels, logits, classes)) {
    const auto bin = std::lower_bound(result.bins.begin(), result.bins.end(), answer.confidence,
                                      [](const ReliabilityBin& b, double confidence) { return b.upper < confidence; });
    bin->images += 1;
    bin->confidence += answer.confidence;
    bin->accuracy += answer.right;
  }
  for (ReliabilityBin& bin : result.bins) {
    if (bin.images == 0) continue;
    result.ece += std::abs(bin.accuracy - bin.confidence) / static_cast<double>(labels.size());
    bin.confidence /= static_cast<double>(bin.images);
    bin.accuracy /= static_cast<double>(bin.images);
  }
  return result;
}

double FitTemperature(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes) {
  const bool finite = std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); });
  if (!finite || !HasMinimum(labels, logits, classes)) return 1;
  // In the scale 1 / T the cross-entropy is convex, so its slope rises, and its minimum is where that is 0.
  const auto slope = [&](double scale) {
    double sum = 0;
    for (size_t i = 0; i < labels.size(); ++i) sum += Slope(Row(logits, i, classes), labels[i], scale);
    return sum;
  };
  const double low = 1 / kHighestTemperature;
  const double high = 1 / kLowestTemperature;
  const double slope_low = slope(low);
  const double slope_high = slope(high);
  if (slope_low >= 0) return kHighestTemperature;
  if (slope_high <= 0) return kLowestTemperature;
  constexpr int kBits = 45;
  std::uintmax_t most_steps = 100;
  const auto [below, above] = boost::math::tools::toms748_solve(
      slope, low, high, slope_low, slope_high, boost::math::tools::eps_tolerance<double>(kBits), most_steps);
  return 2 / (below + above);
}

void DivideByTemperature(std::vector<float>& logits, double temperature) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  for (float& logit : logits) logit = static_cast<float>(std::clamp(logit / temperature, -kLargest, kLargest));
}

std::vector<CoveragePoint> AccuracyByCoverage(std::span<const int32_t> labels, std::span<const float> logits,
                                              int64_t classes, int steps) {
  std::vector<Answer> answers = Answers(labels, logits, classes);
  std::sort(answers.begin(), answers.end(),
            [](const Answer& a, const Answer& b) { return a.confidence > b.confidence; });
  std::vector<CoveragePoint> points;
  size_t covered = 0;
  double right = 0;
  for (int k = 1; k <= steps && !answers.empty(); ++k) {
    const size_t least =
        (static_cast<size_t>(k) * answers.size() + static_cast<size_t>(steps) - 1) / static_cast<size_t>(steps);
    const double threshold = answers[least - 1].confidence;
    for (; covered < answers.size() && answers[covered].confidence >= threshold; ++covered)
      right += answers[covered].right;
    const auto count = static_cast<double>(covered);
    points.push_back({count / static_cast<double>(answers.size()), right / count, threshold});
  }
  return points;
}

Json ToJson(const std::vector<ReliabilityBin>& bins) {
  Json json = Json::array();
  for (const ReliabilityBin& b : bins) {
    json.push_back({{"lower", b.lower},
                    {"upper", b.upper},
                    {"images", b.images},
                    {"confidence", b.confidence},
                    {"accuracy", b.accuracy}});
  }
  return json;
}

Json ToJson(const std::vector<CoveragePoint>& points) {
  Json json = Json::array();
  for (const CoveragePoint& p : points)
    json.push_back({{"coverage", p.coverage}, {"accuracy", p.accuracy}, {"threshold", p.threshold}});
  return json;
}

}  // namespace spotter
