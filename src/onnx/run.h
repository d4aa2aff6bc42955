// SPDX-License-Identifier: Apache-2.0
// Computes an ONNX graph with libtorch, node by node as the ONNX operators' specification (opset 13) says, so that a
// file can be tried where no other runtime is at hand.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "onnx/graph.h"

namespace spotter::onnx {

using Values = std::map<std::string, at::Tensor>;

class Runner {
 public:
  /// The graph must outlive it. Throws Error(kModel) for an operator that it does not know, or a value that nothing
  /// makes.
  explicit Runner(const Graph& graph);

  /// The values called `wanted`, outputs or any in between (but texts, which have no tensors), from those of the
  /// graph's inputs. Only nodes that they need are computed; a value is dropped once nothing needs it any more. Throws
  /// Error(kModel), naming the node, when a node can't be computed.
  Values Run(Values inputs, const std::vector<std::string>& wanted) const;

 private:
  const Graph& graph_;
  Values constants_;
};

}  // namespace spotter::onnx
