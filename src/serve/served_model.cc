// SPDX-License-Identifier: Apache-2.0
#include "serve/served_model.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "draw/pixels.h"
#include "evaluate/calibration.h"
#include "report/run_folder.h"
#include "serve/model_facts.h"

namespace spotter {
namespace {

/// The heat map is shown at a side of about this, in whole multiples of the network's pixels.
constexpr int kShownSide = 256;

std::vector<int64_t> FirstIndices(size_t count) {
  std::vector<int64_t> indices(count);
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return indices;
}

}  // namespace

ServedModel::ServedModel(std::string name, int64_t version, const std::string& source, const Compute& compute,
                         int workers)
    : name_(std::move(name)),
      version_(std::to_string(version)),
      model_(LoadModel(FindModelFile(source))),
      compute_(compute),
      about_(DescribeModel(name_, version_, model_)) {
  model_.network.MoveTo(compute.device);
  const ImageShape& shape = model_.preprocessing.shape;
  const Image black{shape, std::vector<uint8_t>(static_cast<size_t>(shape.size()))};
  for (int i = 0; i < workers; ++i) {
    evaluators_.push_back(std::make_unique<Evaluator>(model_.network, model_.preprocessing, compute_));
    Logits(static_cast<size_t>(i), {black});
  }
}

Image ServedModel::Fit(Image image) const {
  return FitImage(std::move(image), model_.preprocessing.shape, model_.preprocessing.resize);
}

std::vector<float> ServedModel::Logits(size_t worker, const std::vector<Image>& images) {
  const Dataset data = ToDataset(images, model_.preprocessing.shape);
  return evaluators_[worker]->Logits(data, FirstIndices(images.size()));
}

std::vector<double> ServedModel::ProbabilitiesOf(std::span<const float> logits) const {
  std::vector<float> row(logits.begin(), logits.end());
  DivideByTemperature(row, model_.temperature);
  return Probabilities(row);
}

std::vector<std::pair<size_t, double>> ServedModel::MostProbableOf(std::span<const float> logits, size_t count) const {
  std::vector<float> row(logits.begin(), logits.end());
  DivideByTemperature(row, model_.temperature);
  return MostProbable(row, count);
}

std::string ServedModel::HeatMapUrl(const Image& fitted, std::span<const float> logits, ExplainMethod method) const {
  const std::vector<int64_t> first = {0};
  const std::vector<int32_t> target = {
      static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin())};
  const Dataset data = ToDataset({&fitted, 1}, fitted.shape);
  const HeatMap map = ExplainImages(model_, data, first, target, compute_, method).front();
  const ImageShape& shape = fitted.shape;
  const Picture blended = BlendHeat({shape.height, shape.width, shape.channels, fitted.pixels.data()}, map.values);
  const int times = std::max(1, kShownSide / std::max(shape.height, shape.width));
  return DataUri("image/png", EncodePng(blended.view(), times));
}

}  // namespace spotter
