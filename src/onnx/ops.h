// SPDX-License-Identifier: Apache-2.0
// The operators that Runner knows. One list, in ops.cc.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "onnx/graph.h"

namespace spotter::onnx {

/// A node's inputs; one that is left out ("") is undefined.
using Inputs = std::vector<at::Tensor>;

/// Computes a node's one output.
using Compute = at::Tensor (*)(const Node& node, const Inputs& in);

/// nullptr when there is none of that name.
Compute FindOp(const std::string& op);

/// Attributes with their defaults.
template <typename Value>
Value Get(const Node& node, const std::string& name, Value otherwise) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? otherwise : std::get<Value>(found->second);
}

}  // namespace spotter::onnx
