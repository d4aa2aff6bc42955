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
  // Kernels only; never biases, scales or shifts. But muon, and sgd with a bias_learning_rate: see MakeOptimizer.
  double weight_decay = 0;
  double momentum = 0.9;
  bool nesterov = true;
  double bias_learning_rate = 0;     // sgd, muon: of biases, scales and shifts, before the schedule; 0: as all
  double head_learning_rate = 0;     // sgd, muon: of dense kernels, likewise
  double whitening_bias_epochs = 3;  // sgd, muon: while the bias of a whitening convolution is trained
  double muon_momentum = 0.6;
  int64_t lookahead = 0;  // all: the steps between two updates of lookahead.h's average; 0: none
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;  // Keras' default; PyTorch's is 1e-8
};

const std::vector<std::string>& OptimizerNames();  // "adam", "adamw", "muon", "sgd"

/// The learning rate that one begins with: Keras' defaults, and Jordan's for Muon.
double UsualLearningRate(const std::string& optimizer);

/// How far one step goes.
struct StepRate {
  double learning_rate = 0;  // as the schedule has it now
  double factor = 1;         // the schedule's share in it: what every other rate is multiplied by
  double epoch = 0;          // at which the step begins; fractions count
  double progress = 0;       // the share of the run that is done when the step is; 1 at the last one
  double base() const { return factor > 0 ? learning_rate / factor : 0; }  // the learning rate before the schedule
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One step down the parameters' gradients; then the gradients are gone. Parameters that ask for none (frozen ones)
  /// are left as they are, and so is what is kept for them.
  virtual void Step(const StepRate& rate) = 0;

  /// What a resumed run needs, named "exp_avg/conv_1.weight" and so on. The tensors are the live ones: copy into
  /// them to restore.
  virtual std::vector<std::pair<std::string, at::Tensor>> State() = 0;
};

/// adam: Kingma & Ba; decay, if any, is added to the gradient (L2). adamw: Loshchilov & Hutter, decay decoupled and
/// scaled by the learning rate, as torch.optim.AdamW and keras.optimizers.AdamW. sgd: momentum as torch.optim.SGD
/// (buffer = momentum * buffer + gradient), Nesterov by default. Epsilon is added to sqrt(v_hat), as PyTorch; Keras
/// adds it to sqrt(v), which differs by epsilon alone. muon: muon.h for filters, sgd for all else.
///
/// sgd and muon: groups with a rate of their own decay alike. With w the weight decay and r the group's rate before the
/// schedule, what is added to the gradient is c * parameter: sgd c = w * learning_rate / r, for biases and scales
/// only where bias_learning_rate is given; muon c = w / r, for all but the filters, which have no decay. The bias of a
/// whitening convolution is trained for whitening_bias_epochs, its rate falling linearly from bias_learning_rate to 0
/// whatever the schedule; the first Step after them makes it ask for no gradient any more.
///
/// Any of them within lookahead.h's average, if the settings ask for it.
///
/// `products`: what muon multiplies matrices in, kBFloat16 or kFloat. Throws Error(kUsage) for another name.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerSettings& settings, const std::vector<Parameter*>& parameters,
                                         at::ScalarType products = at::kFloat);

}  // namespace spotter
