// SPDX-License-Identifier: Apache-2.0
// One version of a model, loaded and ready to answer on several threads.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/image.h"
#include "evaluate/compute.h"
#include "evaluate/evaluator.h"
#include "evaluate/explain.h"
#include "model_file/model_file.h"

namespace spotter {

class ServedModel {
 public:
  /// `source`: a run's folder or a model file. `compute` is each worker's. Answers once on every worker, so that no
  /// client pays for what the first answer prepares. Throws Error(kUsage, kModel, kIo) as LoadModel does.
  ServedModel(std::string name, int64_t version, const std::string& source, const Compute& compute, int workers);

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }  // "1", and one more with each reload
  const Model& model() const { return model_; }
  const Json& about() const { return about_; }  // its entry of GET /api/models

  /// An image as the network takes it: resized and in its channels. Throws Error(kData).
  Image Fit(Image image) const;

  /// Logits (images, classes) of images that Fit gave. One call a worker at a time.
  std::vector<float> Logits(size_t worker, const std::vector<Image>& images);

  /// softmax(logits / temperature) of one row.
  std::vector<double> ProbabilitiesOf(std::span<const float> logits) const;

  /// The `count` most probable classes of one row, as MostProbable (evaluate/evaluator.h).
  std::vector<std::pair<size_t, double>> MostProbableOf(std::span<const float> logits, size_t count) const;

  /// What spoke for the most probable class, over the image, as a PNG in a data: URL. From any thread. Throws
  /// Error(kModel) when the network has no convolution.
  std::string HeatMapUrl(const Image& fitted, std::span<const float> logits, ExplainMethod method) const;

 private:
  std::string name_;
  std::string version_;
  Model model_;
  Compute compute_;
  Json about_;
  std::vector<std::unique_ptr<Evaluator>> evaluators_;  // one a worker
};

}  // namespace spotter
