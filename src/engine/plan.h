// SPDX-License-Identifier: Apache-2.0
// The plan of a network: which layers one kernel computes, with those of its neighbours that it takes in. The engine
// makes ops of it, `spotter bench` cases.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "kernels/conv_shape.h"
#include "kernels/dense.h"
#include "kernels/norm.h"
#include "kernels/pool.h"
#include "models/network.h"

namespace spotter {

/// A 3x3 convolution of stride 1, with the ReLU and the 2x2 max pool behind it, in either order.
struct ConvStep {
  kernels::ConvShape shape;
  bool relu = false;
};
/// The first layer, a convolution from at most 4 channels, with the activation behind it.
struct PatchConvStep {
  kernels::ConvShape shape;
  kernels::Act act = kernels::Act::kNone;
};
/// Batch norm with the activation behind it, and a max pool where that is none or ReLU; shape.size is 1 without one.
struct NormStep {
  kernels::PoolShape shape;  // a vector is a map of one pixel
  kernels::Act act = kernels::Act::kNone;
};
struct ActivationStep {
  kernels::Act act = kernels::Act::kNone;
};
/// Windows side by side, without padding.
struct MaxPoolStep {
  kernels::PoolShape shape;
};
struct DropoutStep {
  double rate = 0;  // above 0
};
struct DenseStep {
  kernels::DenseShape shape;
  bool relu = false;
};
/// A residual connection: the add of the same slot adds what the skip sees.
struct SkipStep {
  const SkipSlot* slot = nullptr;
};
struct AddStep {
  const SkipSlot* slot = nullptr;
};
/// A layer that has no kernel: its own Forward computes it.
struct LayerStep {};

using StepKind = std::variant<LayerStep, ConvStep, PatchConvStep, NormStep, ActivationStep, MaxPoolStep, DropoutStep,
                              DenseStep, SkipStep, AddStep>;

/// In the shapes of `kind` the number of images is 0: it is not known yet.
struct Step {
  StepKind kind;
  Layer* layer = nullptr;  // the first, which has the parameters
  std::string name;        // of all its layers: "conv_1 + relu_1 + maxpool_1"
  FeatureShape input;
  size_t place = 0;  // of the first layer in the network
};

/// In the order of the layers. A flatten is no step, since values lie in the order that it asks for, nor is a dropout
/// of nothing. The network outlives the plan.
std::vector<Step> PlanOf(const Network& network);

}  // namespace spotter
