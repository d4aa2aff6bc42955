// SPDX-License-Identifier: Apache-2.0
// One step of training: images in, weights changed. Shared by the trainer and by `spotter bench train`.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "augment/batch.h"
#include "engine/engine.h"
#include "evaluate/compute.h"
#include "models/network.h"
#include "optimize/optimizer.h"
#include "train/profile.h"

namespace spotter {

struct StepResult {
  double loss = 0;      // mean over the batch
  int64_t correct = 0;  // images whose largest logit was their label's
  double data_seconds = 0;
};

class TrainStep {
 public:
  struct Context {
    const Dataset& data;
    const Preprocessing& preprocessing;
    Network& network;
    Optimizer& optimizer;
    Augmentation augmentation;
    Compute compute;
    uint64_t seed = 0;
    double label_smoothing = 0;
    double backward_share = 1;          // of a batch's images, those with the largest gradients (backward_share.h)
    int64_t backward_share_after = 0;   // epochs; before, the backward pass is for all images
    std::vector<double> class_weights;  // empty: all 1
  };
  /// From now on the network's trained parameters ask for gradients.
  explicit TrainStep(Context context);

  /// The images at `indices`, as they look in this epoch. `step` counts the epoch's steps from 0. When the loss is not
  /// finite the weights are left as they are.
  StepResult Run(std::span<const int64_t> indices, int64_t epoch, int64_t step, const StepRate& rate);

  /// What the steps so far have cost.
  Profile profile() const;

 private:
  struct Batch {
    at::Tensor images;  // (N, H, W, C) fp32
    at::Tensor labels;  // (N) int64
    at::Tensor x;       // the images as the network wants them: (N, C, H, W) in channels-last memory
  };
  /// In the first rows of memory_.
  Batch FillBatch(std::span<const int64_t> indices, int64_t epoch);
  at::Tensor Logits(const at::Tensor& x, uint64_t seed);
  /// From the loss's gradient by the logits.
  void Backward(const at::Tensor& logits, const at::Tensor& gradient, int64_t epoch);

  Context context_;
  Profile profile_;
  Batch memory_;                    // of the largest batch so far
  std::unique_ptr<Engine> engine_;  // where its kernels run; else libtorch computes
  at::Tensor class_weights_;
};

}  // namespace spotter
