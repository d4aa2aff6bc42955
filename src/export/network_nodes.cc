// SPDX-License-Identifier: Apache-2.0
#include <numbers>

#include "base/error.h"
#include "export/nodes.h"

namespace spotter {
namespace {

using Integers = std::vector<int64_t>;

/// x by an activation of the layer language.
Value Activate(GraphBuilder& graph, const Value& x, const Activation& activation) {
  const std::string& name = activation.name;
  if (name == "relu") return graph.Add("Relu", {x});
  if (name == "elu") return graph.Add("Elu", {x}, {{"alpha", 1.0f}});
  if (name == "leakyrelu") return graph.Add("LeakyRelu", {x}, {{"alpha", 0.3f}});
  if (name == "sigmoid") return graph.Add("Sigmoid", {x});
  if (name == "tanh") return graph.Add("Tanh", {x});
  if (name == "silu") return graph.Add("Mul", {x, graph.Add("Sigmoid", {x})});
  if (name == "gelu") {  // as onnxruntime knows it, and joins it: x * (1 + erf(x / sqrt(2))) * 0.5
    const Value erf = graph.Add("Erf", {graph.Add("Div", {x, graph.Float(std::numbers::sqrt2)})});
    const Value twice = graph.Add("Mul", {x, graph.Add("Add", {erf, graph.Float(1)})});
    return graph.Add("Mul", {twice, graph.Float(0.5)});
  }
  Fail(ExitCode::kInternal, "the activation '{}' has no ONNX nodes", name);
}

/// One layer after another: what comes in, and what it becomes.
class LayerWriter {
 public:
  LayerWriter(GraphBuilder& graph, Value x, const FeatureShape& shape)
      : graph_(graph), x_(std::move(x)), shape_(shape) {}

  void Write(const Layer& layer) {
    layer_ = &layer;
    std::visit(*this, layer.spec());
    shape_ = layer.output_shape();
  }
  const Value& x() const { return x_; }

  void operator()(const ConvSpec& spec) {
    AddNode(WithWeights(), "Conv", WindowOf(spec.window));
    if (spec.activation != nullptr) x_ = Activate(graph_, x_, *spec.activation);
  }
  void operator()(const MaxPoolSpec& spec) { AddNode({x_}, "MaxPool", WindowOf(spec.window)); }
  void operator()(const AvgPoolSpec& spec) { AddNode({x_}, "AveragePool", WindowOf(spec.window)); }
  void operator()(const GlobalPoolSpec& spec) {
    x_ = graph_.Add(spec.maximum ? "GlobalMaxPool" : "GlobalAveragePool", {x_});
    x_ = graph_.Add("Flatten", {x_}, {{"axis", int64_t{1}}}, layer_->name());
  }
  void operator()(const BatchNormSpec& spec) {
    std::vector<Value> inputs = WithWeights();
    if (!spec.scale) inputs.insert(inputs.begin() + 1, graph_.Constant(at::ones({shape_.channels})));
    AddNode(inputs, "BatchNormalization", {{"epsilon", static_cast<float>(spec.epsilon)}});
  }
  void operator()(const DropoutSpec&) {}
  void operator()(const FlattenSpec&) {
    if (!shape_.is_map()) return;
    const Value last = graph_.Add("Transpose", {x_}, {{"perm", Integers{0, 2, 3, 1}}});
    x_ = graph_.Add("Flatten", {last}, {{"axis", int64_t{1}}}, layer_->name());
  }
  void operator()(const DenseSpec& spec) {
    AddNode(WithWeights(), "Gemm", {{"transB", int64_t{1}}});
    if (spec.activation != nullptr) x_ = Activate(graph_, x_, *spec.activation);
  }
  void operator()(const ActivationSpec& spec) { x_ = Activate(graph_, x_, *spec.activation); }
  void operator()(const ScaleSpec& spec) { AddNode({x_, graph_.Float(spec.factor)}, "Mul", {}); }
  void operator()(const SkipSpec& spec) { skips_[spec.slot] = x_; }
  void operator()(const AddSpec& spec) { AddNode({x_, skips_.at(spec.slot)}, "Add", {}); }

 private:
  void AddNode(const std::vector<Value>& inputs, const char* op, const GraphBuilder::Attributes& attributes) {
    x_ = graph_.Add(op, inputs, attributes, layer_->name());
  }
  std::vector<Value> WithWeights() {
    std::vector<Value> inputs = {x_};
    for (const Parameter& parameter : layer_->parameters())
      inputs.push_back(graph_.Weight(parameter.name, parameter.value));
    return inputs;
  }
  GraphBuilder::Attributes WindowOf(const Window& window) const {
    const WindowAxis y = AlongAxis(shape_.height, window.kernel_height, window);
    const WindowAxis x = AlongAxis(shape_.width, window.kernel_width, window);
    return {{"kernel_shape", Integers{window.kernel_height, window.kernel_width}},
            {"strides", Integers{window.stride, window.stride}},
            {"pads", Integers{y.pad_before, x.pad_before, y.pad_after, x.pad_after}}};
  }

  GraphBuilder& graph_;
  Value x_;
  FeatureShape shape_;  // of x_
  const Layer* layer_ = nullptr;
  std::map<const SkipSlot*, Value> skips_;
};

}  // namespace

Value NetworkNodes(GraphBuilder& graph, const Value& x, const Network& network) {
  LayerWriter writer(graph, x, network.input_shape());
  for (const auto& layer : network.layers()) writer.Write(*layer);
  return writer.x();
}

}  // namespace spotter
