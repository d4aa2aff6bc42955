// SPDX-License-Identifier: Apache-2.0
#include "train/class_weights.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/text.h"

namespace spotter {

std::vector<double> ClassWeights(const std::string& text, const std::vector<std::string>& classes,
                                 const std::vector<int64_t>& counts) {
  if (text == "none") return {};
  std::vector<double> weights(classes.size(), 1.0);
  if (text == "balanced") {
    const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
    for (size_t c = 0; c < classes.size(); ++c) {
      weights[c] = total / (static_cast<double>(classes.size()) * static_cast<double>(std::max<int64_t>(counts[c], 1)));
    }
    return weights;
  }
  for (const std::string_view part : Split(text, ',')) {
    const size_t equals = part.rfind('=');
    const auto weight = equals == std::string_view::npos ? std::nullopt : ParseNumber(Trim(part.substr(equals + 1)));
    if (!weight || *weight <= 0) {
      Fail(ExitCode::kUsage,
           "--class-weights {}: expected none, balanced, or CLASS=WEIGHT pairs (above 0) with commas between them, as "
           "in \"cat=2,dog=0.5\"",
           text);
    }
    const std::string name(Trim(part.substr(0, equals)));
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end()) {
      Fail(ExitCode::kUsage, "--class-weights: no class is called '{}'{}; the classes are {}", name,
           DidYouMean(name, classes), Join(classes, ", "));
    }
    weights[static_cast<size_t>(found - classes.begin())] = *weight;
  }
  return weights;
}

}  // namespace spotter
