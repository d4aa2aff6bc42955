// SPDX-License-Identifier: Apache-2.0
// One step of the engine: one layer, or several that one kernel computes.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/bf16.h"
#include "kernels/norm.h"
#include "kernels/scratch.h"
#include "models/layer.h"

namespace spotter {

using kernels::bf16;

/// What all steps of a pass share.
struct Pass {
  int64_t images = 0;
  bool training = false;  // batch statistics, dropout, and what the backward pass will need is kept
  uint64_t seed = 0;      // of this step's dropout
};

/// Values are (images, features) bf16, a map's features in the order height, width, channel. What Forward returns stays
/// valid until the next Forward; Backward belongs to the last Forward, which was one of training.
class Op {
 public:
  virtual ~Op() = default;

  /// x stays as it is until the backward pass is over.
  virtual const bf16* Forward(const bf16* x, const Pass& pass) = 0;

  /// From dy, the gradient of the output, to the parameters' gradients (Parameter::value.grad()) and, when `dx_wanted`,
  /// the input's, which is written over dy or to `spare`; returns which. Both hold the largest map of the network.
  virtual bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass& pass) = 0;

  /// The parameters have changed since the last Forward.
  virtual void ParametersChanged() {}

  virtual std::vector<Parameter*> parameters() const { return {}; }

  /// Multiply-adds of the plain algorithm for one image, forward; 0 where there are hardly any.
  virtual int64_t products() const { return 0; }

  const std::string& name() const { return name_; }  // the layers', as "conv_1+relu+maxpool_1"
  void set_name(std::string name) { name_ = std::move(name); }

 private:
  std::string name_;
};

/// Ops for layers and groups of them; `layer` outlives its op.
struct ConvOptions {
  bool relu = false;
  bool pool = false;
};
std::unique_ptr<Op> MakeConvOp(Layer& conv, const FeatureShape& input, const ConvOptions& options,
                               kernels::Scratch& scratch);
/// For the first layer only: it has no gradient of its input.
std::unique_ptr<Op> MakePatchConvOp(Layer& conv, const FeatureShape& input, kernels::Act act,
                                    kernels::Scratch& scratch);
/// `pool`: the side of the max pool's windows behind the activation, which is none or ReLU then; 1 for no pool.
std::unique_ptr<Op> MakeNormOp(Layer& norm, kernels::Act act, int64_t pool, kernels::Scratch& scratch);
std::unique_ptr<Op> MakeActivationOp(const Activation& activation, const FeatureShape& shape,
                                     kernels::Scratch& scratch);
std::unique_ptr<Op> MakeMaxPoolOp(const FeatureShape& input, int64_t size, int threads);
std::unique_ptr<Op> MakeDropoutOp(const FeatureShape& shape, double rate, uint64_t place, int threads);
std::unique_ptr<Op> MakeDenseOp(Layer& dense, const FeatureShape& input, bool relu, kernels::Scratch& scratch);
/// Any layer by its own Forward and libtorch's autograd.
std::unique_ptr<Op> MakeLayerOp(Layer& layer, const FeatureShape& input);

/// The kernel that computes an activation; kNone when there is none.
kernels::Act KernelOf(const Activation& activation);

/// Makes `gradient` the parameter's, where one is asked for.
void SetGradient(Parameter& parameter, const at::Tensor& gradient);
/// The layer's parameter "weight", "bias", "running_mean", ...; nullptr when it has none of that name.
Parameter* FindParameter(Layer& layer, std::string_view name);

}  // namespace spotter
