// SPDX-License-Identifier: Apache-2.0
// Runs a network over images, without training it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "augment/preprocessing.h"
#include "data/dataset.h"
#include "evaluate/compute.h"
#include "models/network.h"

namespace spotter {

/// Called now and then with the images done so far.
using EvaluateProgress = std::function<void(int64_t done)>;

/// How many images of a size are computed at once: few enough for the memory that training takes too.
int64_t EvaluationBatch(const ImageShape& shape);

class Engine;

/// A network that is ready to answer: what its engine has prepared is kept from call to call. One call at a time.
class Evaluator {
 public:
  /// Network and preprocessing outlive it, and the network's parameters don't change.
  Evaluator(const Network& network, const Preprocessing& preprocessing, const Compute& compute);
  ~Evaluator();

  /// Logits (indices.size(), classes), C order, of images of a data set, by the views that the preprocessing names. The
  /// data set's shape must be the network's. An image's logits do not depend on those beside it, save that libtorch's
  /// sums (where the engine does not run) may come in another order in a batch of another size.
  std::vector<float> Logits(const Dataset& data, std::span<const int64_t> indices,
                            const EvaluateProgress& progress = {});

 private:
  const Network& network_;
  const Preprocessing& preprocessing_;
  Compute compute_;
  std::unique_ptr<Engine> engine_;  // where it runs
};

/// The same for one call.
std::vector<float> ComputeLogits(const Network& network, const Preprocessing& preprocessing, const Dataset& data,
                                 std::span<const int64_t> indices, const Compute& compute,
                                 const EvaluateProgress& progress = {});

/// Labels (indices.size()) of images of a data set.
std::vector<int32_t> LabelsOf(const Dataset& data, std::span<const int64_t> indices);

/// Softmax of one row of logits, in double.
std::vector<double> Probabilities(std::span<const float> logits);

/// The `count` most probable classes of one row of logits (all, where there are fewer) with their probabilities, the
/// most probable first; among equals the lower class.
std::vector<std::pair<size_t, double>> MostProbable(std::span<const float> logits, size_t count);

}  // namespace spotter
