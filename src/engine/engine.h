// SPDX-License-Identifier: Apache-2.0
// A network computed by our own kernels, forward and backward, in bf16 on a CPU that multiplies it.
//
// Network::Forward with libtorch's autograd is the reference: any device, any precision. The engine computes the same
// with layers joined where one kernel does several (plan.h), keeps its memory from step to step, and leaves
// to libtorch the layers that it has no kernel for. tests compare the two.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/buffer.h"
#include "engine/op.h"
#include "models/network.h"

namespace spotter {

/// What a step of the plan has cost since the engine was made.
struct StepCost {
  std::string name;
  double forward_seconds = 0;
  double backward_seconds = 0;
  double forward_products = 0;   // multiply-adds of the plain algorithm, as Op::products() counts them
  double backward_products = 0;  // those of the data gradient, where it was asked for, and of the weights' gradient
};

class Engine {
 public:
  /// Whether this processor has what the kernels need.
  static bool RunsHere();

  /// `network` outlives the engine.
  Engine(const Network& network, int threads);

  /// x (images, channels, height, width) bf16 in channels-last memory, as Network::Forward -> logits (images, classes)
  /// fp32. In training, batch norm moves its averages and dropout is drawn from pass.seed.
  at::Tensor Forward(const at::Tensor& x, const Pass& pass);

  /// From the logits' gradient (images, classes) fp32 of the last Forward, which was one of training, to
  /// Parameter::value.grad() of every parameter that requires one. Those tensors are the engine's, and overwritten by
  /// the next call.
  ///
  /// `kept`: for these images alone, in as much less time: numbers of rows, each once, ascending; empty: all. The
  /// others count as though their gradient were 0, with one exception: below a batch norm they have a gradient even
  /// so, by way of the batch's moments. Kept images stand for them there, one for four at most (engine/norm_op.cc).
  void Backward(const at::Tensor& gradient, std::span<const int64_t> kept = {});

  /// To be called when parameters have changed.
  void ParametersChanged();

  const std::vector<StepCost>& costs() const { return costs_; }  // in the order of the layers

 private:
  /// Brings what the ops from `first` on will read of the images kept to the front, the input of `first` too, which is
  /// the output of the op before. From here to the end of Backward the pass is one of so many images.
  void Keep(size_t first, const KeptImages& kept);

  kernels::Scratch scratch_;
  int64_t classes_;
  int64_t largest_ = 0;  // features of the largest value between two steps
  std::vector<std::unique_ptr<Op>> ops_;
  std::vector<StepCost> costs_;
  Pass pass_;
  at::Tensor x_;         // for as long as the backward pass may read it
  Buffer<bf16> kept_x_;  // likewise, of the images kept
  Buffer<bf16> gradients_[2];
};

}  // namespace spotter
