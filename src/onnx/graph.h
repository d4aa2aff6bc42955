// SPDX-License-Identifier: Apache-2.0
// An ONNX model as plain data, as onnx.proto has it (onnx.ai): what we write and read of it, no more.
//
// Only what an image classifier needs: one graph without subgraphs, tensors stored in the file itself.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace spotter::onnx {

/// TensorProto.DataType.
enum class Type : int32_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kDouble = 11
};

/// A constant. Values lie in `bytes`, row-major, little-endian; those of kString in `strings`.
struct Tensor {
  std::string name;
  Type type = Type::kFloat;
  std::vector<int64_t> dims;  // empty: a scalar
  std::string bytes;
  std::vector<std::string> strings = {};
};

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>>;

struct Node {
  std::string op;  // "Conv"
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes = {};
};

/// A number, or a name for one that is known when the model runs.
using Dim = std::variant<int64_t, std::string>;

struct ValueInfo {
  std::string name;
  Type type = Type::kFloat;
  std::vector<Dim> dims;
};

struct Graph {
  std::string name;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  std::vector<Tensor> constants;  // "initializers"
  std::vector<Node> nodes;        // each behind those that it reads from
};

struct Model {
  int64_t ir_version = 7;
  int64_t opset = 13;  // of the default domain
  std::string producer;
  std::string producer_version;
  std::string description;
  std::vector<std::pair<std::string, std::string>> metadata;
  Graph graph;
};

/// The bytes of one value of a type; 0 for kString.
size_t SizeOf(Type type);

}  // namespace spotter::onnx
