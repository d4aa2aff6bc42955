// SPDX-License-Identifier: Apache-2.0
#include "bench/speed.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>

#include "augment/batch.h"
#include "base/error.h"
#include "base/host.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/engine.h"
#include "train/class_weights.h"
#include "train/new_model.h"
#include "train/train_step.h"

namespace spotter {
namespace {

constexpr int64_t kBatches = 16;  // different ones, so that the images don't all stay in a cache

/// Throws Error(kUsage) when batches of this size can't fit into this machine's memory: the system would not refuse
/// them, but end the program, or another one, once they are written to.
void CheckFits(const ImageShape& shape, int64_t batch_size, const Network* network) {
  double bytes = static_cast<double>(kBatches * shape.size());
  if (network != nullptr) {
    for (const auto& layer : network->layers()) bytes += 2.0 * static_cast<double>(layer->output_shape().size());
  }
  bytes *= static_cast<double>(batch_size);
  const double memory = DescribeHost().value("memory_bytes", 0.0);
  if (memory > 0 && bytes > memory) {
    Fail(ExitCode::kUsage,
         "batches of {} images of {} x {} need {} of memory at least, and this machine has {}; try a smaller "
         "--batch-size or --image-size",
         batch_size, shape.height, shape.width, HumanBytes(bytes), HumanBytes(memory));
  }
}

Dataset NoiseImages(int64_t n, const ImageShape& shape, int64_t classes) {
  Dataset data;
  data.source = "noise";
  data.shape = shape;
  for (int64_t c = 0; c < classes; ++c) data.classes.push_back(std::to_string(c));
  const auto bytes = static_cast<size_t>(n * shape.size());
  auto pixels = std::shared_ptr<uint8_t[]>(new uint8_t[bytes]);
  for (size_t i = 0; i < bytes; i += 16) {
    const auto words = RandomWords(0, Stream::kBench, 0, i);
    std::memcpy(pixels.get() + i, words.data(), std::min(sizeof words, bytes - i));
  }
  for (int64_t i = 0; i < n; ++i) data.labels.push_back(static_cast<int32_t>(i % classes));
  data.pixels = pixels;
  return data;
}

ImageShape ShapeOf(const TrainSettings& settings) {
  const int side = settings.data.image_size > 0 ? static_cast<int>(settings.data.image_size) : 32;
  return {side, side, 3};
}

Splits AllForTraining(const Dataset& data) {
  Splits splits;
  splits.train.resize(static_cast<size_t>(data.size()));
  std::iota(splits.train.begin(), splits.train.end(), int64_t{0});
  return splits;
}

std::span<const int64_t> Batch(const std::vector<int64_t>& indices, int64_t round, int64_t size) {
  return std::span(indices).subspan(static_cast<size_t>(round % kBatches * size), static_cast<size_t>(size));
}

Speed SpeedOf(std::vector<double> seconds, int64_t batch_size) {
  std::vector<double> rates;
  for (double& time : seconds) {
    rates.push_back(static_cast<double>(batch_size) / time);
    time *= 1e3;
  }
  return {batch_size, QuantilesOf(std::move(rates)), QuantilesOf(std::move(seconds))};
}

}  // namespace

TrainingSpeed TimeTraining(const TrainSettings& settings, int64_t classes, const Compute& compute,
                           const Effort& effort) {
  CheckFits(ShapeOf(settings), settings.batch_size, nullptr);
  const Dataset data = NoiseImages(kBatches * settings.batch_size, ShapeOf(settings), classes);
  const Splits splits = AllForTraining(data);
  Model model = NewModel(settings, data, splits);
  CheckFits(ShapeOf(settings), settings.batch_size, &model.network);
  model.network.MoveTo(compute.device);
  const auto optimizer = MakeOptimizer(settings.optimizer, model.network.parameters(), compute.precision);
  TrainStep step(
      {.data = data,
       .preprocessing = model.preprocessing,
       .network = model.network,
       .optimizer = *optimizer,
       .augmentation = ToAugmentation(settings),
       .compute = compute,
       .seed = static_cast<uint64_t>(settings.seed),
       .label_smoothing = settings.label_smoothing,
       .class_weights = ClassWeights(settings.class_weights, data.classes, ClassCounts(data, splits.train))});
  const auto seconds = TimeCalls(
      [&](int64_t round) {
        // As late in a run: the bias of a whitening convolution is not trained any more. All layers learn, though, and
        // the backward pass is for all images.
        const StepResult result = step.Run(Batch(splits.train, round, settings.batch_size), round, 0,
                                           {.learning_rate = 1e-4, .factor = 1e-3, .epoch = 1e6});
        if (!std::isfinite(result.loss)) {  // the backward pass was left out
          Fail(ExitCode::kDiverged,
               "the loss is not finite on noise images, so that a step cannot be timed; try another model");
        }
      },
      effort);
  return {SpeedOf(seconds, settings.batch_size), step.profile()};
}

Speed TimeInference(const Model& model, int64_t batch_size, const Compute& compute, const Effort& effort) {
  const at::InferenceMode inference;
  const ImageShape& shape = model.preprocessing.shape;
  CheckFits(shape, batch_size, nullptr);
  const Dataset data = NoiseImages(kBatches * batch_size, shape, model.network.classes());
  const Splits all = AllForTraining(data);
  const auto engine = EngineRuns(compute) ? std::make_unique<Engine>(model.network, compute.threads) : nullptr;
  const auto classify = [&](int64_t round) {
    at::Tensor images = at::empty({batch_size, shape.height, shape.width, shape.channels});
    WriteBatch(data, Batch(all.train, round, batch_size), model.preprocessing, images.data_ptr<float>());
    const at::Tensor x = images.to(compute.device, compute.precision).permute({0, 3, 1, 2});
    const at::Tensor logits =
        engine ? engine->Forward(x, {.images = batch_size})
               : model.network.Forward(x, {.training = false, .precision = compute.precision}).to(at::kCPU);
  };
  return SpeedOf(TimeCalls(classify, effort), batch_size);
}

Model NoiseModel(const TrainSettings& settings, int64_t classes) {
  const Dataset data = NoiseImages(1000, ShapeOf(settings), classes);
  return NewModel(settings, data, AllForTraining(data));
}

}  // namespace spotter
