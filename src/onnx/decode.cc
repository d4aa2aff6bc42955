// SPDX-License-Identifier: Apache-2.0
#include <protozero/exception.hpp>
#include <protozero/pbf_message.hpp>

#include "base/error.h"
#include "onnx/fields.h"
#include "onnx/file.h"

namespace spotter::onnx {
namespace {

using protozero::pbf_message;

Type ToType(int32_t number) {
  const auto type = static_cast<Type>(number);
  if (type != Type::kString && SizeOf(type) == 0)
    Fail(ExitCode::kModel, "it has values of ONNX's type {}, which is not read", number);
  return type;
}

int64_t CountOf(const Tensor& tensor) {
  int64_t count = 1;
  for (const int64_t dim : tensor.dims) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count))
      Fail(ExitCode::kModel, "tensor '{}' has an impossible shape", tensor.name);
  }
  return count;
}

Tensor ReadTensor(pbf_message<TensorField> from) {
  Tensor tensor;
  while (from.next()) {
    switch (from.tag()) {
      case TensorField::kDims:
        tensor.dims.push_back(from.get_int64());
        break;
      case TensorField::kType:
        tensor.type = ToType(from.get_int32());
        break;
      case TensorField::kStrings:
        tensor.strings.push_back(from.get_bytes());
        break;
      case TensorField::kName:
        tensor.name = from.get_string();
        break;
      case TensorField::kBytes:
        tensor.bytes = from.get_bytes();
        break;
      case TensorField::kLocation:
        Fail(ExitCode::kModel, "tensor '{}' is not in the file itself", tensor.name);
      default:
        from.skip();
    }
  }
  const auto count = static_cast<size_t>(CountOf(tensor));
  const bool whole = tensor.type == Type::kString ? tensor.strings.size() == count
                                                  : tensor.bytes.size() / SizeOf(tensor.type) == count &&
                                                        tensor.bytes.size() % SizeOf(tensor.type) == 0;
  if (!whole) Fail(ExitCode::kModel, "tensor '{}' has not as many values as its shape says", tensor.name);
  return tensor;
}

std::pair<std::string, Attribute> ReadAttribute(pbf_message<AttributeField> from) {
  std::string name;
  int32_t type = 0;
  int64_t integer = 0;
  float number = 0;
  std::string text;
  std::vector<int64_t> integers;
  std::vector<float> numbers;
  while (from.next()) {
    switch (from.tag()) {
      case AttributeField::kName:
        name = from.get_string();
        break;
      case AttributeField::kType:
        type = from.get_int32();
        break;
      case AttributeField::kInt:
        integer = from.get_int64();
        break;
      case AttributeField::kFloat:
        number = from.get_float();
        break;
      case AttributeField::kString:
        text = from.get_bytes();
        break;
      case AttributeField::kInts:
        integers.push_back(from.get_int64());
        break;
      case AttributeField::kFloats:
        numbers.push_back(from.get_float());
        break;
      default:
        from.skip();
    }
  }
  switch (static_cast<AttributeType>(type)) {
    case AttributeType::kInt:
      return {name, integer};
    case AttributeType::kFloat:
      return {name, number};
    case AttributeType::kString:
      return {name, text};
    case AttributeType::kInts:
      return {name, integers};
    case AttributeType::kFloats:
      return {name, numbers};
  }
  Fail(ExitCode::kModel, "its attribute '{}' is of a kind that is not read", name);
}

Node ReadNode(pbf_message<NodeField> from) {
  Node node;
  while (from.next()) {
    switch (from.tag()) {
      case NodeField::kInput:
        node.inputs.push_back(from.get_string());
        break;
      case NodeField::kOutput:
        node.outputs.push_back(from.get_string());
        break;
      case NodeField::kOp:
        node.op = from.get_string();
        break;
      case NodeField::kAttribute:
        node.attributes.insert(ReadAttribute(from.get_message()));
        break;
      default:
        from.skip();
    }
  }
  return node;
}

Dim ReadDim(pbf_message<DimField> from) {
  Dim dim = std::string();
  while (from.next()) {
    switch (from.tag()) {
      case DimField::kValue:
        dim = from.get_int64();
        break;
      case DimField::kName:
        dim = from.get_string();
        break;
      default:
        from.skip();
    }
  }
  return dim;
}

void ReadTensorType(pbf_message<TensorTypeField> from, ValueInfo& value) {
  while (from.next()) {
    switch (from.tag()) {
      case TensorTypeField::kType:
        value.type = ToType(from.get_int32());
        break;
      case TensorTypeField::kShape: {
        pbf_message<ShapeField> shape = from.get_message();
        while (shape.next(ShapeField::kDim)) value.dims.push_back(ReadDim(shape.get_message()));
        break;
      }
      default:
        from.skip();
    }
  }
}

ValueInfo ReadValue(pbf_message<ValueField> from) {
  ValueInfo value;
  while (from.next()) {
    switch (from.tag()) {
      case ValueField::kName:
        value.name = from.get_string();
        break;
      case ValueField::kType: {
        pbf_message<TypeField> type = from.get_message();
        while (type.next(TypeField::kTensor)) ReadTensorType(type.get_message(), value);
        break;
      }
      default:
        from.skip();
    }
  }
  return value;
}

Graph ReadGraph(pbf_message<GraphField> from) {
  Graph graph;
  while (from.next()) {
    switch (from.tag()) {
      case GraphField::kNode:
        graph.nodes.push_back(ReadNode(from.get_message()));
        break;
      case GraphField::kName:
        graph.name = from.get_string();
        break;
      case GraphField::kConstant:
        graph.constants.push_back(ReadTensor(from.get_message()));
        break;
      case GraphField::kInput:
        graph.inputs.push_back(ReadValue(from.get_message()));
        break;
      case GraphField::kOutput:
        graph.outputs.push_back(ReadValue(from.get_message()));
        break;
      default:
        from.skip();
    }
  }
  return graph;
}

std::pair<std::string, std::string> ReadEntry(pbf_message<EntryField> from) {
  std::pair<std::string, std::string> entry;
  while (from.next()) {
    switch (from.tag()) {
      case EntryField::kKey:
        entry.first = from.get_string();
        break;
      case EntryField::kValue:
        entry.second = from.get_string();
        break;
      default:
        from.skip();
    }
  }
  return entry;
}

int64_t ReadOpset(pbf_message<OpsetField> from) { return from.next(OpsetField::kVersion) ? from.get_int64() : 0; }

Model ReadModel(std::string_view bytes) {
  Model model;
  model.ir_version = model.opset = 0;
  pbf_message<ModelField> from(protozero::data_view(bytes.data(), bytes.size()));
  while (from.next()) {
    switch (from.tag()) {
      case ModelField::kIrVersion:
        model.ir_version = from.get_int64();
        break;
      case ModelField::kProducer:
        model.producer = from.get_string();
        break;
      case ModelField::kProducerVersion:
        model.producer_version = from.get_string();
        break;
      case ModelField::kDescription:
        model.description = from.get_string();
        break;
      case ModelField::kGraph:
        model.graph = ReadGraph(from.get_message());
        break;
      case ModelField::kOpset:
        model.opset = ReadOpset(from.get_message());
        break;
      case ModelField::kMetadata:
        model.metadata.push_back(ReadEntry(from.get_message()));
        break;
      default:
        from.skip();
    }
  }
  if (model.ir_version == 0 || model.graph.nodes.empty()) Fail(ExitCode::kModel, "it is no ONNX model");
  return model;
}

}  // namespace

Model Decode(std::string_view bytes) {
  try {
    return ReadModel(bytes);
  } catch (const protozero::exception& error) {
    Fail(ExitCode::kModel, "it is no ONNX model, or a damaged one ({})", error.what());
  }
}

}  // namespace spotter::onnx
