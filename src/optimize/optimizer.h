// SPDX-License-Identifier: Apache-2.0
// The optimizers: one visible list. State is a fixed number of tensors a parameter, so that a checkpoint can hold it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/layer.h"

namespace spotter {

/// The hyperparameters of all optimizers; each uses those that carry its name.
struct OptimizerSettings {
  std::string name = "adam";
  double weight_decay = 0;  // kernels only; never biases, scales or shifts
  double momentum = 0.9;
  bool nesterov = true;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;  // Keras' default; PyTorch's is 1e-8
};

const std::vector<std::string>& OptimizerNames();  // "adam", "adamw", "sgd"

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One step down the parameters' gradients with this learning rate; then the gradients are gone.
  virtual void Step(double learning_rate) = 0;

  /// What a resumed run needs, named "exp_avg/conv_1.weight" and so on. The tensors are the live ones: copy into
  /// them to restore.
  virtual std::vector<std::pair<std::string, at::Tensor>> State() = 0;
};

/// adam: Kingma & Ba; decay, if any, is added to the gradient (L2). adamw: Loshchilov & Hutter, decay decoupled and
/// scaled by the learning rate, as torch.optim.AdamW and keras.optimizers.AdamW. sgd: momentum as torch.optim.SGD
/// (buffer = momentum * buffer + gradient), Nesterov by default. Epsilon is added to sqrt(v_hat), as PyTorch; Keras
/// adds it to sqrt(v), which differs by epsilon alone. Throws Error(kUsage) for another name.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters);

}  // namespace spotter
