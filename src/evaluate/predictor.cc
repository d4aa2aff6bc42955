// SPDX-License-Identifier: Apache-2.0
// The files' pixels become a small data set, so that all goes the way of evaluation.
#include "evaluate/predictor.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "evaluate/calibration.h"
#include "evaluate/evaluator.h"

namespace spotter {

Dataset ReadImageFiles(const std::vector<std::string>& files, const Preprocessing& preprocessing, int threads,
                       std::vector<std::string>& problems) {
  const ImageShape shape = preprocessing.shape;
  auto pixels = std::shared_ptr<uint8_t[]>(new uint8_t[files.size() * static_cast<size_t>(shape.size())]());
  problems.assign(files.size(), "");
  ParallelFor(static_cast<int64_t>(files.size()), threads, [&](int64_t i) {
    try {
      constexpr size_t kMostBytes = size_t{256} << 20;
      const Image image =
          FitImage(DecodeImage(ReadFile(files[static_cast<size_t>(i)], kMostBytes)), shape, preprocessing.resize);
      std::copy(image.pixels.begin(), image.pixels.end(), pixels.get() + i * shape.size());
    } catch (const Error& error) {
      problems[static_cast<size_t>(i)] = error.what();
    }
  });
  Dataset data;
  data.shape = shape;
  data.pixels = pixels;
  data.labels.resize(files.size());
  data.names = files;
  return data;
}

std::vector<Prediction> PredictFiles(const Model& model, const Compute& compute, const std::vector<std::string>& files,
                                     int64_t top) {
  std::vector<std::string> problems;
  const Dataset data = ReadImageFiles(files, model.preprocessing, compute.threads, problems);
  std::vector<Prediction> predictions(files.size());
  std::vector<int64_t> readable;
  for (size_t i = 0; i < files.size(); ++i) {
    predictions[i] = {files[i], problems[i], {}};
    if (problems[i].empty()) readable.push_back(static_cast<int64_t>(i));
  }
  const auto classes = model.classes.size();
  auto logits = ComputeLogits(model.network, model.preprocessing, data, readable, compute);
  DivideByTemperature(logits, model.temperature);
  for (size_t r = 0; r < readable.size(); ++r)
    predictions[static_cast<size_t>(readable[r])].top =
        MostProbable(std::span(logits).subspan(r * classes, classes), static_cast<size_t>(top));
  return predictions;
}

}  // namespace spotter
