// SPDX-License-Identifier: Apache-2.0
#include "train/train_step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.h"
#include "base/stopwatch.h"
#include "train/backward_share.h"

namespace spotter {
namespace {

/// What dropout draws from in a step.
uint64_t DropoutSeed(uint64_t seed, int64_t epoch, int64_t step) {
  const auto words = RandomWords(seed, Stream::kDropout, static_cast<uint32_t>(epoch), static_cast<uint64_t>(step));
  return uint64_t{words[0]} << 32 | words[1];
}

int64_t CountCorrect(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor host = logits.detach().to(at::kCPU).contiguous();
  const float* row = host.const_data_ptr<float>();
  const int64_t* label = labels.const_data_ptr<int64_t>();
  const int64_t classes = host.size(1);
  int64_t correct = 0;
  for (int64_t i = 0; i < host.size(0); ++i, row += classes)
    correct += std::max_element(row, row + classes) - row == label[i];
  return correct;
}

}  // namespace

TrainStep::TrainStep(Context context) : context_(std::move(context)) {
  for (Parameter* parameter : context_.network.parameters()) parameter->value.set_requires_grad(parameter->trainable());
  if (!context_.class_weights.empty()) {
    class_weights_ = at::tensor(at::ArrayRef<double>(context_.class_weights), at::kFloat).to(context_.compute.device);
  }
  if (EngineRuns(context_.compute)) engine_ = std::make_unique<Engine>(context_.network, context_.compute.threads);
}

at::Tensor TrainStep::Logits(const at::Tensor& x, uint64_t seed) {
  at::manual_seed(seed);  // of libtorch's dropout
  if (!engine_) return context_.network.Forward(x, {.training = true, .precision = context_.compute.precision});
  return engine_->Forward(x, {.images = x.size(0), .training = true, .seed = seed});
}

void TrainStep::Backward(const at::Tensor& logits, const at::Tensor& gradient, int64_t epoch) {
  std::vector<int64_t> kept;  // empty: all
  if (context_.backward_share < 1 && epoch >= context_.backward_share_after)
    kept = LargestRows(gradient.to(at::kCPU, at::kFloat), context_.backward_share);
  if (engine_) {
    engine_->Backward(gradient, kept);
  } else if (kept.empty()) {
    logits.backward(gradient);
  } else {
    const at::Tensor rows = at::tensor(at::ArrayRef<int64_t>(kept)).to(gradient.device());
    logits.backward(at::zeros_like(gradient).index_copy_(0, rows, gradient.index_select(0, rows)));
  }
}

TrainStep::Batch TrainStep::FillBatch(std::span<const int64_t> indices, int64_t epoch) {
  const Dataset& data = context_.data;
  const auto n = static_cast<int64_t>(indices.size());
  if (!memory_.images.defined() || memory_.images.size(0) < n) {
    memory_.images = at::empty({n, data.shape.height, data.shape.width, data.shape.channels});
    memory_.labels = at::empty({n}, at::kLong);
    memory_.x = at::empty(memory_.images.sizes(), at::device(context_.compute.device).dtype(context_.compute.precision))
                    .permute({0, 3, 1, 2});
  }
  const Batch batch = {memory_.images.narrow(0, 0, n), memory_.labels.narrow(0, 0, n), memory_.x.narrow(0, 0, n)};
  WriteAugmentedBatch(data, indices, context_.preprocessing, context_.augmentation, context_.seed, epoch,
                      batch.images.data_ptr<float>());
  for (int64_t i = 0; i < n; ++i)
    batch.labels.data_ptr<int64_t>()[i] = data.labels[static_cast<size_t>(indices[static_cast<size_t>(i)])];
  batch.x.copy_(batch.images.permute({0, 3, 1, 2}));
  return batch;
}

StepResult TrainStep::Run(std::span<const int64_t> indices, int64_t epoch, int64_t step, const StepRate& rate) {
  Stopwatch watch;
  const auto n = static_cast<int64_t>(indices.size());
  const Batch batch = FillBatch(indices, epoch);
  StepResult result;
  result.data_seconds = watch.Lap();

  const at::Tensor logits = Logits(batch.x, DropoutSeed(context_.seed, epoch, step));
  profile_.forward += watch.Lap();
  const std::optional<at::Tensor> weights = class_weights_.defined() ? std::optional(class_weights_) : std::nullopt;
  const at::Tensor scores = logits.detach().requires_grad_();
  const at::Tensor loss =
      at::cross_entropy_loss(scores, batch.labels.to(context_.compute.device), weights, at::Reduction::Mean,
                             /*ignore_index=*/-100, context_.label_smoothing);
  result.loss = loss.item<double>();
  if (!std::isfinite(result.loss)) return result;
  result.correct = CountCorrect(logits, batch.labels);
  loss.backward();
  profile_.loss += watch.Lap();
  Backward(logits, scores.grad(), epoch);
  profile_.backward += watch.Lap();
  context_.optimizer.Step(rate);
  if (engine_) engine_->ParametersChanged();
  profile_.optimizer += watch.Lap();
  profile_.data += result.data_seconds;
  profile_.images += n;
  return result;
}

Profile TrainStep::profile() const {
  Profile profile = profile_;
  if (engine_) profile.steps = engine_->costs();
  return profile;
}

}  // namespace spotter
