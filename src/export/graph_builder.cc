// SPDX-License-Identifier: Apache-2.0
#include "export/graph_builder.h"

#include "onnx/values.h"

namespace spotter {
std::string GraphBuilder::Unique(const std::string& name) {
  const int count = names_[name]++;
  return count == 0 ? name : Unique(name + "_" + std::to_string(count + 1));
}

Value GraphBuilder::Add(const std::string& op, std::vector<Value> inputs, Attributes attributes,
                        const std::string& name) {
  const Value output = Unique(name.empty() ? op : name);
  graph_.nodes.push_back({op, std::move(inputs), {output}, std::move(attributes)});
  return output;
}

Value GraphBuilder::Weight(const std::string& name, const at::Tensor& values) {
  if (known_.try_emplace("weight " + name, name).second) {
    ++names_[name];
    graph_.constants.push_back(onnx::ToConstant(name, values));
  }
  return name;
}

Value GraphBuilder::Constant(const at::Tensor& values) {
  onnx::Tensor constant = onnx::ToConstant("", values);
  std::string key = std::to_string(static_cast<int>(constant.type));
  for (const int64_t dim : constant.dims) key += " " + std::to_string(dim);
  key += ": " + constant.bytes;
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  constant.name = Unique("constant");
  known_[key] = constant.name;
  graph_.constants.push_back(std::move(constant));
  return graph_.constants.back().name;
}

Value GraphBuilder::Float(double value) { return Constant(at::scalar_tensor(value, at::kFloat)); }
Value GraphBuilder::Double(double value) { return Constant(at::scalar_tensor(value, at::kDouble)); }
Value GraphBuilder::Integer(int64_t value) { return Constant(at::scalar_tensor(value, at::kLong)); }
Value GraphBuilder::Integers(const std::vector<int64_t>& values) { return Constant(at::tensor(values, at::kLong)); }

Value GraphBuilder::Texts(const std::vector<std::string>& texts) {
  const std::string name = Unique("classes");
  graph_.constants.push_back({name, onnx::Type::kString, {static_cast<int64_t>(texts.size())}, "", texts});
  return name;
}

void GraphBuilder::AddOutput(const Value& value, const onnx::ValueInfo& info) {
  Add("Identity", {value}, {}, info.name);
  graph_.outputs.push_back(info);
}

}  // namespace spotter
