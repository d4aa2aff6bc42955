// SPDX-License-Identifier: Apache-2.0
#include "train/new_model.h"

#include "base/error.h"
#include "base/json.h"
#include "models/zoo.h"

namespace spotter {

Model NewModel(const TrainSettings& settings, const Dataset& data, const Splits& splits) {
  const ImageShape& shape = data.shape;
  if (settings.shift > std::min(shape.height, shape.width) / 2) {
    Fail(ExitCode::kUsage, "--shift {}: expected at most half the smaller side of the images, {}", settings.shift,
         std::min(shape.height, shape.width) / 2);
  }
  Preprocessing preprocessing;
  preprocessing.shape = shape;
  preprocessing.resize = ResizePolicyFromName(settings.data.resize);
  if (settings.normalize == "standard") MeasureNormalization(data, splits.train, preprocessing);
  Network network(ResolveModel(settings.model), {shape.height, shape.width, shape.channels},
                  static_cast<int64_t>(data.classes.size()));
  network.InitializeParameters(static_cast<uint64_t>(settings.seed));
  std::vector<std::string> classes;  // as they come back from a model file
  for (const std::string& name : data.classes) classes.push_back(ValidUtf8(name));
  return {std::move(classes), preprocessing, std::move(network)};
}

}  // namespace spotter
