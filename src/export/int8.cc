// SPDX-License-Identifier: Apache-2.0
#include "export/int8.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "onnx/values.h"

namespace spotter {
namespace {

class Quantizer {
 public:
  Quantizer(const onnx::Graph& graph, const QuantizedRanges& ranges) : graph_(graph), ranges_(ranges) {
    result_.name = graph.name;
    result_.inputs = graph.inputs;
    result_.outputs = graph.outputs;
    for (const onnx::Tensor& constant : graph.constants) constants_[constant.name] = &constant;
  }

  onnx::Graph Run() {
    for (const onnx::ValueInfo& input : graph_.inputs) RoundIfAsked(input.name);
    for (const onnx::Node& node : graph_.nodes) Copy(node);
    std::set<std::string> read;
    for (const onnx::Node& node : result_.nodes) read.insert(node.inputs.begin(), node.inputs.end());
    for (const onnx::Tensor& constant : graph_.constants) {
      if (read.contains(constant.name)) result_.constants.push_back(constant);
    }
    return std::move(result_);
  }

 private:
  void Copy(onnx::Node node) {
    const bool weighted = (node.op == "Conv" || node.op == "Gemm") && ranges_.contains(node.inputs[0]);
    if (weighted) {
      const std::string x = node.inputs[0];
      node.inputs[1] = Weight(node.inputs[1]);
      if (node.inputs.size() > 2) node.inputs[2] = Bias(node.inputs[2], x, node.inputs[1]);
    }
    for (std::string& input : node.inputs) {
      const auto known = quantized_.find(input);
      if (known != quantized_.end()) input = known->second;
    }
    const std::string output = node.outputs[0];
    // A maximum is one of its inputs: with their scale nothing is rounded again.
    const std::string like = node.op == "MaxPool" ? node.inputs[0] : "";
    result_.nodes.push_back(std::move(node));
    RoundIfAsked(output, like);
  }

  /// A value that has a range goes on as integers; `like`: a value whose scale it shares.
  void RoundIfAsked(const std::string& value, const std::string& like = "") {
    const auto range = ranges_.find(value);
    if (range == ranges_.end()) return;
    const auto same = scales_.find(like);
    const Scale scale = same != scales_.end() ? same->second : ScaleOf(value, range->second);
    const std::string integers = value + "_uint8";
    const std::string back = value + "_of_uint8";
    result_.nodes.push_back({"QuantizeLinear", {value, scale.scale, scale.zero}, {integers}});
    result_.nodes.push_back({"DequantizeLinear", {integers, scale.scale, scale.zero}, {back}});
    quantized_[value] = back;
    scales_[back] = scale;
  }

  struct Scale {
    std::string scale;
    std::string zero;
    double value = 1;
  };
  Scale ScaleOf(const std::string& name, const QuantizedRange& range) {
    const double step = (static_cast<double>(range.high) - range.low) / 255;
    const double zero = std::clamp(std::nearbyint(-range.low / step), 0.0, 255.0);
    const float value = static_cast<float>(step);
    Scale scale{name + "_scale", name + "_zero", value};
    Add(scale.scale, at::scalar_tensor(value, at::kFloat));
    Add(scale.zero, at::scalar_tensor(zero, at::kByte));
    return scale;
  }

  /// Weights as integers. Processors with AVX2 but without its VNNI add two products of a uint8 and an int8 in 16 bits,
  /// and cut off what does not fit: 2 * 255 * 64 does.
  static constexpr int kLargestWeight = 64;

  /// int8, one scale a filter; the value that gives it back as fp32.
  std::string Weight(const std::string& name) {
    const std::string back = name + "_of_int8";
    if (!weights_.contains(name)) {
      const at::Tensor values = onnx::ToTensor(*constants_.at(name));
      const at::Tensor scale = (values.flatten(1).abs().amax(1) / kLargestWeight).clamp_min(1e-12);
      std::vector<int64_t> shape(static_cast<size_t>(values.dim()), 1);
      shape[0] = -1;
      const at::Tensor rounded = at::round(values / scale.view(shape)).clamp(-kLargestWeight, kLargestWeight).to(at::kChar);
      Add(name + "_int8", rounded);
      Add(name + "_scale", scale);
      Add(name + "_zero", at::zeros({scale.size(0)}, at::kChar));
      result_.nodes.push_back(
          {"DequantizeLinear", {name + "_int8", name + "_scale", name + "_zero"}, {back}, {{"axis", int64_t{0}}}});
      weights_[name] = weights_[back] = scale;
    }
    return back;
  }

  /// int32 in steps of the products': the scale of x times that of the filter.
  std::string Bias(const std::string& name, const std::string& x, const std::string& weight) {
    const std::string own = name + "_for_" + x;
    const at::Tensor scale = weights_.at(weight) * scales_.at(quantized_.at(x)).value;
    Add(own + "_int32", at::round(onnx::ToTensor(*constants_.at(name)) / scale).to(at::kInt));
    Add(own + "_scale", scale);
    Add(own + "_zero", at::zeros({scale.size(0)}, at::kInt));
    result_.nodes.push_back({"DequantizeLinear",
                             {own + "_int32", own + "_scale", own + "_zero"},
                             {own + "_of_int32"},
                             {{"axis", int64_t{0}}}});
    return own + "_of_int32";
  }

  void Add(const std::string& name, const at::Tensor& values) {
    result_.constants.push_back(onnx::ToConstant(name, values));
  }

  const onnx::Graph& graph_;
  const QuantizedRanges& ranges_;
  onnx::Graph result_;
  std::map<std::string, const onnx::Tensor*> constants_;
  std::map<std::string, std::string> quantized_;  // a value, and what it is after its integers
  std::map<std::string, Scale> scales_;           // of the latter
  std::map<std::string, at::Tensor> weights_;     // their scales
};

}  // namespace

onnx::Graph Quantize(const onnx::Graph& graph, const QuantizedRanges& ranges) { return Quantizer(graph, ranges).Run(); }

}  // namespace spotter
