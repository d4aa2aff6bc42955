// SPDX-License-Identifier: Apache-2.0
// One step of the engine: one layer, or several that one kernel computes.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/kept_images.h"
#include "engine/plan.h"
#include "kernels/bf16.h"
#include "kernels/scratch.h"

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

  /// Between the two, when Backward is not for all images but for `kept` alone: brings what it will read to the front,
  /// as the input was, which lies at x now; Backward's pass has kept.count() images. Returns where the output lies. x
  /// may be null for an op that is not gone back through. `kept` outlives Backward.
  virtual const bf16* Keep(const bf16* x, const KeptImages& kept) = 0;

  /// From dy, the gradient of the output, to the parameters' gradients (Parameter::value.grad()) and, when `dx_wanted`,
  /// the input's, which is written over dy or to `spare`; returns which. All have room for as many images as Forward
  /// had, `spare` for the network's largest map.
  virtual bf16* Backward(bf16* dy, bf16* spare, bool dx_wanted, const Pass& pass) = 0;

  /// The parameters have changed since the last Forward.
  virtual void ParametersChanged() {}

  virtual std::vector<Parameter*> parameters() const { return {}; }

  /// Multiply-adds of the plain algorithm for one image, forward; 0 where there are hardly any.
  virtual int64_t products() const { return 0; }
};

/// The ops of a plan's steps; `layer` outlives its op.
std::unique_ptr<Op> MakeConvOp(Layer& conv, const ConvStep& step, kernels::Scratch& scratch);
/// It has no gradient of its input.
std::unique_ptr<Op> MakePatchConvOp(Layer& conv, const PatchConvStep& step, kernels::Scratch& scratch);
std::unique_ptr<Op> MakeNormOp(Layer& norm, const NormStep& step, kernels::Scratch& scratch);
std::unique_ptr<Op> MakeActivationOp(const ActivationStep& step, const FeatureShape& shape, kernels::Scratch& scratch);
std::unique_ptr<Op> MakeMaxPoolOp(const MaxPoolStep& step, int threads);
/// `place`: no other op's, so that no two drop the same.
std::unique_ptr<Op> MakeDropoutOp(const DropoutStep& step, const FeatureShape& shape, uint64_t place, int threads);
std::unique_ptr<Op> MakeDenseOp(Layer& dense, const DenseStep& step, kernels::Scratch& scratch);
/// Any layer by its own Forward and libtorch's autograd.
std::unique_ptr<Op> MakeLayerOp(Layer& layer, const FeatureShape& input);

/// Makes `gradient` the parameter's, where one is asked for.
void SetGradient(Parameter& parameter, const at::Tensor& gradient);
/// The layer's parameter "weight", "bias", "running_mean", ...; nullptr when it has none of that name.
Parameter* FindParameter(Layer& layer, std::string_view name);

}  // namespace spotter
