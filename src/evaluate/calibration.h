// SPDX-License-Identifier: Apache-2.0
// Whether a classifier's probabilities can be believed, the temperature that mends them, and what is gained by leaving
// the least certain images to a person. After Guo et al., On Calibration of Modern Neural Networks, 2017.
//
// The confidence of an image is its largest probability; labels are (N), logits (N, classes) in C order, and among
// equal logits the lower class is the prediction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/json.h"

namespace spotter {

/// One bin of a reliability diagram: images whose confidence lies in (lower, upper].
struct ReliabilityBin {
  double lower = 0;
  double upper = 0;
  int64_t images = 0;
  double confidence = 0;  // mean; 0 without images
  double accuracy = 0;    // 0 without images
};

struct Calibration {
  double ece = 0;  // expected calibration error: the mean over the images of |accuracy - confidence| of their bin
  std::vector<ReliabilityBin> bins;  // of equal width, over [0, 1]
};

Calibration MeasureCalibration(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes,
                               int bins = 15);

/// The temperature T that minimises the mean cross-entropy of logits / T over these images, within [0.05, 20]. 1 when
/// there is none to find: without images, when every image is predicted right (the smaller T the better), or when a
/// logit is not finite.
double FitTemperature(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes);

/// The order of a row's logits stays, though neighbouring floats may become equal. What would overflow becomes the
/// largest float.
void DivideByTemperature(std::vector<float>& logits, double temperature);

/// A rule to answer only for images whose confidence is at least `threshold`.
struct CoveragePoint {
  double coverage = 0;   // the share of the images that it answers for
  double accuracy = 0;   // on those
  double threshold = 0;  // of the confidence
};

/// For each of k = 1 .. steps the rule with the highest threshold that covers at least k / steps of the images. Images
/// of one confidence are covered together, so that neighbouring points may be the same. Empty without images.
std::vector<CoveragePoint> AccuracyByCoverage(std::span<const int32_t> labels, std::span<const float> logits,
                                              int64_t classes, int steps = 100);

/// A list of {lower, upper, images, confidence, accuracy}.
Json ToJson(const std::vector<ReliabilityBin>& bins);
/// A list of {coverage, accuracy, threshold}.
Json ToJson(const std::vector<CoveragePoint>& points);

}  // namespace spotter
