// SPDX-License-Identifier: Apache-2.0
// The files' pixels become a small data set, so that all goes the way of evaluation.
#include "evaluate/predictor.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "evaluate/calibration.h"
#include "evaluate/evaluator.h"

namespace spotter {

std::vector<Prediction> PredictFiles(const Model& model, const Compute& compute, const std::vector<std::string>& files,
                                     int64_t top) {
  const ImageShape shape = model.preprocessing.shape;
  std::vector<Prediction> predictions(files.size());
  auto pixels = std::shared_ptr<uint8_t[]>(new uint8_t[files.size() * static_cast<size_t>(shape.size())]());
  ParallelFor(static_cast<int64_t>(files.size()), compute.threads, [&](int64_t i) {
    Prediction& prediction = predictions[static_cast<size_t>(i)];
    prediction.file = files[static_cast<size_t>(i)];
    try {
      constexpr size_t kMostBytes = size_t{256} << 20;
      const Image image =
          FitImage(DecodeImage(ReadFile(prediction.file, kMostBytes)), shape, model.preprocessing.resize);
      std::copy(image.pixels.begin(), image.pixels.end(), pixels.get() + i * shape.size());
    } catch (const Error& error) {
      prediction.problem = error.what();
    }
  });
  Dataset data;
  data.shape = shape;
  data.pixels = pixels;
  data.labels.resize(files.size());
  std::vector<int64_t> readable;
  for (size_t i = 0; i < files.size(); ++i) {
    if (predictions[i].problem.empty()) readable.push_back(static_cast<int64_t>(i));
  }
  const auto classes = model.classes.size();
  auto logits = ComputeLogits(model.network, model.preprocessing, data, readable, compute);
  DivideByTemperature(logits, model.temperature);
  for (size_t r = 0; r < readable.size(); ++r) {
    const auto p = Probabilities(std::span(logits).subspan(r * classes, classes));
    std::vector<size_t> order(classes);
    std::iota(order.begin(), order.end(), size_t{0});
    const size_t shown = std::min<size_t>(static_cast<size_t>(top), classes);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [&](size_t a, size_t b) { return p[a] > p[b] || (p[a] == p[b] && a < b); });
    for (size_t k = 0; k < shown; ++k)
      predictions[static_cast<size_t>(readable[r])].top.emplace_back(order[k], p[order[k]]);
  }
  return predictions;
}

}  // namespace spotter
