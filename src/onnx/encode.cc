// SPDX-License-Identifier: Apache-2.0
#include <protozero/pbf_builder.hpp>

#include "base/error.h"
#include "onnx/fields.h"
#include "onnx/file.h"

namespace spotter::onnx {
namespace {

using protozero::pbf_builder;

struct AttributeWriter {
  pbf_builder<AttributeField>& to;
  void Type(AttributeType type) const { to.add_enum(AttributeField::kType, static_cast<int32_t>(type)); }
  void operator()(int64_t value) const { to.add_int64(AttributeField::kInt, value), Type(AttributeType::kInt); }
  void operator()(float value) const { to.add_float(AttributeField::kFloat, value), Type(AttributeType::kFloat); }
  void operator()(const std::string& value) const {
    to.add_bytes(AttributeField::kString, value), Type(AttributeType::kString);
  }
  // proto2: lists of numbers are not packed unless they say so, and these do not
  void operator()(const std::vector<int64_t>& values) const {
    for (const int64_t value : values) to.add_int64(AttributeField::kInts, value);
    Type(AttributeType::kInts);
  }
  void operator()(const std::vector<float>& values) const {
    for (const float value : values) to.add_float(AttributeField::kFloats, value);
    Type(AttributeType::kFloats);
  }
};

void Write(pbf_builder<GraphField>& graph, const Node& node) {
  pbf_builder<NodeField> to(graph, GraphField::kNode);
  for (const std::string& input : node.inputs) to.add_string(NodeField::kInput, input);
  for (const std::string& output : node.outputs) to.add_string(NodeField::kOutput, output);
  to.add_string(NodeField::kName, node.op + "/" + node.outputs.front());
  to.add_string(NodeField::kOp, node.op);
  for (const auto& [name, value] : node.attributes) {
    pbf_builder<AttributeField> attribute(to, NodeField::kAttribute);
    attribute.add_string(AttributeField::kName, name);
    std::visit(AttributeWriter{attribute}, value);
  }
}

void Write(pbf_builder<GraphField>& graph, const Tensor& tensor) {
  pbf_builder<TensorField> to(graph, GraphField::kConstant);
  for (const int64_t dim : tensor.dims) to.add_int64(TensorField::kDims, dim);
  to.add_int32(TensorField::kType, static_cast<int32_t>(tensor.type));
  to.add_string(TensorField::kName, tensor.name);
  if (tensor.type == Type::kString) {
    for (const std::string& text : tensor.strings) to.add_bytes(TensorField::kStrings, text);
  } else {
    to.add_bytes(TensorField::kBytes, tensor.bytes);
  }
}

void Write(pbf_builder<GraphField>& graph, GraphField field, const ValueInfo& value) {
  pbf_builder<ValueField> to(graph, field);
  to.add_string(ValueField::kName, value.name);
  pbf_builder<TypeField> type(to, ValueField::kType);
  pbf_builder<TensorTypeField> tensor(type, TypeField::kTensor);
  tensor.add_int32(TensorTypeField::kType, static_cast<int32_t>(value.type));
  pbf_builder<ShapeField> shape(tensor, TensorTypeField::kShape);
  for (const Dim& dim : value.dims) {
    pbf_builder<DimField> side(shape, ShapeField::kDim);
    if (const auto* number = std::get_if<int64_t>(&dim)) side.add_int64(DimField::kValue, *number);
    if (const auto* name = std::get_if<std::string>(&dim)) side.add_string(DimField::kName, *name);
  }
}

}  // namespace

std::string Encode(const Model& model) {
  size_t tensor_bytes = 0;
  for (const Tensor& tensor : model.graph.constants) tensor_bytes += tensor.bytes.size();
  constexpr size_t kMost = 2'000'000'000;  // protobuf's limit, with room for the rest
  if (tensor_bytes > kMost)
    Fail(ExitCode::kModel, "the network has {} bytes of weights, and an ONNX file holds at most {}", tensor_bytes,
         kMost);
  std::string bytes;
  pbf_builder<ModelField> to(bytes);
  to.add_int64(ModelField::kIrVersion, model.ir_version);
  to.add_string(ModelField::kProducer, model.producer);
  to.add_string(ModelField::kProducerVersion, model.producer_version);
  to.add_string(ModelField::kDescription, model.description);
  {
    pbf_builder<GraphField> graph(to, ModelField::kGraph);
    for (const Node& node : model.graph.nodes) Write(graph, node);
    graph.add_string(GraphField::kName, model.graph.name);
    for (const Tensor& tensor : model.graph.constants) Write(graph, tensor);
    for (const ValueInfo& value : model.graph.inputs) Write(graph, GraphField::kInput, value);
    for (const ValueInfo& value : model.graph.outputs) Write(graph, GraphField::kOutput, value);
  }
  pbf_builder<OpsetField>(to, ModelField::kOpset).add_int64(OpsetField::kVersion, model.opset);
  for (const auto& [key, value] : model.metadata) {
    pbf_builder<EntryField> entry(to, ModelField::kMetadata);
    entry.add_string(EntryField::kKey, key);
    entry.add_string(EntryField::kValue, value);
  }
  return bytes;
}

}  // namespace spotter::onnx
