// SPDX-License-Identifier: Apache-2.0
// A model on labelled images: what it says, with its temperature, and what that is worth. Training, `spotter evaluate`
// and reports all take it from here.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "evaluate/calibration.h"
#include "evaluate/compute.h"
#include "evaluate/evaluator.h"
#include "evaluate/metrics.h"
#include "model_file/model_file.h"

namespace spotter {

struct Evaluation {
  std::vector<int32_t> labels;   // (N)
  std::vector<float> logits;     // (N, classes), C order, divided by the temperature
  Metrics metrics = {};          // of these logits
  Calibration calibration = {};  // of these logits
  double temperature = 1;
  double ece_uncalibrated = 0;  // of the logits as the network gave them
  double loss_uncalibrated = 0;
};

/// `logits`: as the network gives them.
Evaluation EvaluateLogits(std::vector<int32_t> labels, std::vector<float> logits, int64_t classes, double temperature,
                          int top_k = 5);

/// The images of `indices`; the data's shape must be the network's, its labels the model's classes.
Evaluation Evaluate(const Model& model, const Dataset& data, std::span<const int64_t> indices, const Compute& compute,
                    int top_k = 5, const EvaluateProgress& progress = {});

/// Fewer images say too little about a temperature: it stays 1.
inline constexpr size_t kLeastToCalibrate = 100;

/// Gives the model the temperature that fits these images best (FitTemperature), which must be others than it was
/// trained on.
void FitTemperature(Model& model, const Dataset& data, std::span<const int64_t> indices, const Compute& compute);

/// The metrics' fields (metrics.h), and calibration: temperature, ece, ece_uncalibrated, loss_uncalibrated, bins.
Json ToJson(const Evaluation& evaluation, const std::vector<std::string>& classes);

}  // namespace spotter
