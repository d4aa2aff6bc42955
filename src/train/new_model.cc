// SPDX-License-Identifier: Apache-2.0
#include "train/new_model.h"

#include <algorithm>
#include <span>

#include "augment/batch.h"
#include "base/error.h"
#include "base/json.h"
#include "evaluate/evaluator.h"
#include "models/whitening.h"
#include "models/zoo.h"
#include "optimize/freeze_out.h"

namespace spotter {
namespace {

constexpr size_t kWhiteningImages = 5000;

/// Computes the network's whitening kernel, if it has one, from training images spread evenly over all: data that is
/// sorted by class would else show but one. (airbench takes the first 5000 of CIFAR-10, which is shuffled.)
void Whiten(const Network& network, const Preprocessing& preprocessing, const Dataset& data,
            const std::vector<int64_t>& train) {
  Parameter* kernel = WhiteningKernel(network);
  if (kernel == nullptr) return;
  const size_t count = std::min(kWhiteningImages, train.size());
  std::vector<int64_t> indices;
  for (size_t i = 0; i < count; ++i) indices.push_back(train[i * train.size() / count]);
  PatchProducts products;
  const auto batch = static_cast<size_t>(EvaluationBatch(data.shape));
  for (size_t begin = 0; begin < count; begin += batch) {
    const auto part = std::span(indices).subspan(begin, std::min(batch, count - begin));
    at::Tensor images =
        at::empty({static_cast<int64_t>(part.size()), data.shape.height, data.shape.width, data.shape.channels});
    WriteBatch(data, part, preprocessing, images.data_ptr<float>());
    AddPatches(images.permute({0, 3, 1, 2}), kernel->value.size(2), kernel->value.size(3), products);
  }
  kernel->value.copy_(WhiteningRows(products).view(kernel->value.sizes()));
}

/// What the settings ask for, measured on the training images.
Preprocessing PreprocessingOf(const TrainSettings& settings, const Dataset& data, const Splits& splits) {
  Preprocessing preprocessing;
  preprocessing.shape = data.shape;
  preprocessing.resize = ResizePolicyFromName(settings.data.resize);
  preprocessing.views = {static_cast<int>(settings.views), settings.views_below};
  CheckViews(preprocessing.views, data.shape);
  if (settings.normalize == "standard") MeasureNormalization(data, splits.train, preprocessing);
  return preprocessing;
}

}  // namespace

Model NewModel(const TrainSettings& settings, const Dataset& data, const Splits& splits) {
  const ImageShape& shape = data.shape;
  const int side = std::min(shape.height, shape.width);
  if (settings.shift > side / 2) {
    Fail(ExitCode::kUsage,
         "--shift {}: expected at most half the smaller side of the images, {}; give less, or a larger --image-size",
         settings.shift, side / 2);
  }
  if (settings.cutout > 0 && settings.cutout >= side) {
    Fail(ExitCode::kUsage,
         "--cutout {}: expected less than the smaller side of the images, {}; give less, 0 for none, or a larger "
         "--image-size",
         settings.cutout, side);
  }
  if (settings.alternating_flip && !settings.flip) {
    Fail(ExitCode::kUsage, "--alternating-flip says how --flip mirrors; give --flip too");
  }
  const Preprocessing preprocessing = PreprocessingOf(settings, data, splits);
  Network network(ResolveModel(settings.model), {shape.height, shape.width, shape.channels},
                  static_cast<int64_t>(data.classes.size()));
  if (settings.freeze_through != "none") CutBehind(network, settings.freeze_through);  // or its error, early
  network.InitializeParameters(static_cast<uint64_t>(settings.seed));
  Whiten(network, preprocessing, data, splits.train);
  std::vector<std::string> classes;  // as they come back from a model file
  for (const std::string& name : data.classes) classes.push_back(ValidUtf8(name));
  return {std::move(classes), preprocessing, std::move(network)};
}

}  // namespace spotter
