// SPDX-License-Identifier: Apache-2.0
// What a classifier's predictions are worth. Definitions follow scikit-learn's with zero_division=0; accuracies,
// precision, recall and F1 are fractions in [0, 1].
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace spotter {

struct ClassMetrics {
  double precision = 0;  // of the images given this label, the share that has it
  double recall = 0;     // of the images that have this label, the share that was given it
  double f1 = 0;         // their harmonic mean
  int64_t support = 0;   // images that have this label
};

struct Metrics {
  int64_t images = 0;
  double loss = 0;                                   // mean cross-entropy, natural logarithm
  double accuracy = 0;                               // top-1
  std::array<double, 2> accuracy_interval = {0, 0};  // Wilson's, 95 %
  int top_k = 0;                                     // 0: fewer than three classes, top_k_accuracy is not given
  double top_k_accuracy = 0;
  std::vector<ClassMetrics> per_class;          // (classes)
  ClassMetrics macro;                           // plain mean over the classes; support: all images
  ClassMetrics weighted;                        // mean weighted by support
  std::vector<std::vector<int64_t>> confusion;  // [true][predicted]
};

/// Metrics of `labels` (N) against logits (N, classes), C order. Among equal logits the lower class wins.
Metrics ComputeMetrics(std::span<const int32_t> labels, std::span<const float> logits, int64_t classes, int top_k = 5);

/// Wilson's score interval for k successes of n at 95 %; {0, 1} for n = 0.
std::array<double, 2> WilsonInterval(int64_t k, int64_t n);

/// accuracy, loss, accuracy_interval, top_k, per_class (name, precision, recall, f1, support), macro, weighted,
/// confusion_matrix.
Json ToJson(const Metrics& metrics, const std::vector<std::string>& classes);

}  // namespace spotter
