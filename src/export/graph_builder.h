// SPDX-License-Identifier: Apache-2.0
// An ONNX graph, written node by node.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "onnx/graph.h"

namespace spotter {

/// The name of a value in the graph: an input's, a constant's, or what a node gave.
using Value = std::string;

class GraphBuilder {
 public:
  using Attributes = std::map<std::string, onnx::Attribute>;

  /// A node with one output. It is called `name`, or by its operator, and a number where that is taken.
  Value Add(const std::string& op, std::vector<Value> inputs, Attributes attributes = {}, const std::string& name = "");

  /// A constant of this name: a network's weight. The same name again is the same constant.
  Value Weight(const std::string& name, const at::Tensor& values);

  /// Constants without a name of their own; equal ones are one.
  Value Constant(const at::Tensor& values);
  Value Float(double value);  // scalars
  Value Double(double value);
  Value Integer(int64_t value);
  Value Integers(const std::vector<int64_t>& values);
  Value Texts(const std::vector<std::string>& texts);

  void AddInput(const onnx::ValueInfo& info) { graph_.inputs.push_back(info); }
  /// A value becomes an output of this name.
  void AddOutput(const Value& value, const onnx::ValueInfo& info);

  onnx::Graph Take() { return std::move(graph_); }

 private:
  std::string Unique(const std::string& name);

  onnx::Graph graph_;
  std::map<std::string, int> names_;          // how many there are of each
  std::map<std::string, std::string> known_;  // constants by their content
};

}  // namespace spotter
