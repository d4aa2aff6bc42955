// SPDX-License-Identifier: Apache-2.0
#include "evaluate/evaluation.h"

#include <utility>

namespace spotter {

Evaluation EvaluateLogits(std::vector<int32_t> labels, std::vector<float> logits, int64_t classes, double temperature,
                          int top_k) {
  Evaluation e{.labels = std::move(labels), .logits = std::move(logits), .temperature = temperature};
  e.ece_uncalibrated = MeasureCalibration(e.labels, e.logits, classes).ece;
  e.loss_uncalibrated = ComputeMetrics(e.labels, e.logits, classes).loss;
  DivideByTemperature(e.logits, temperature);
  e.metrics = ComputeMetrics(e.labels, e.logits, classes, top_k);
  e.calibration = MeasureCalibration(e.labels, e.logits, classes);
  return e;
}

Evaluation Evaluate(const Model& model, const Dataset& data, std::span<const int64_t> indices, const Compute& compute,
                    int top_k, const EvaluateProgress& progress) {
  return EvaluateLogits(LabelsOf(data, indices),
                        ComputeLogits(model.network, model.preprocessing, data, indices, compute, progress),
                        model.network.classes(), model.temperature, top_k);
}

void FitTemperature(Model& model, const Dataset& data, std::span<const int64_t> indices, const Compute& compute) {
  if (indices.size() < kLeastToCalibrate) {
    model.temperature = 1;
    return;
  }
  const auto logits = ComputeLogits(model.network, model.preprocessing, data, indices, compute);
  model.temperature = FitTemperature(LabelsOf(data, indices), logits, model.network.classes());
}

Json ToJson(const Evaluation& e, const std::vector<std::string>& classes) {
  Json json = ToJson(e.metrics, classes);
  json["calibration"] = {{"temperature", e.temperature},
                         {"ece", e.calibration.ece},
                         {"ece_uncalibrated", e.ece_uncalibrated},
                         {"loss_uncalibrated", e.loss_uncalibrated},
                         {"bins", ToJson(e.calibration.bins)}};
  return json;
}

}  // namespace spotter
