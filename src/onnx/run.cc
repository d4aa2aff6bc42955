// SPDX-License-Identifier: Apache-2.0
#include "onnx/run.h"

#include <ATen/core/grad_mode.h>

#include <set>

#include "base/error.h"
#include "onnx/ops.h"
#include "onnx/values.h"

namespace spotter::onnx {
namespace {

/// Which nodes the wanted values need, and the last one that needs each value.
struct Schedule {
  std::vector<bool> needed;
  std::map<std::string, size_t> last;
};

Schedule MakeSchedule(const Graph& graph, const std::vector<std::string>& wanted) {
  Schedule schedule{std::vector<bool>(graph.nodes.size()), {}};
  std::set<std::string> needed(wanted.begin(), wanted.end());
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (needed.count(node.outputs.front()) == 0) continue;
    schedule.needed[i] = true;
    for (const std::string& input : node.inputs) {
      needed.insert(input);
      schedule.last.try_emplace(input, i);  // from the end: the first seen is the last to read it
    }
  }
  for (const std::string& name : wanted) schedule.last.erase(name);
  return schedule;
}

}  // namespace

Runner::Runner(const Graph& graph) : graph_(graph) {
  std::set<std::string> known{""};
  for (const ValueInfo& input : graph.inputs) known.insert(input.name);
  for (const Tensor& constant : graph.constants) {
    known.insert(constant.name);
    if (constant.type != Type::kString) constants_[constant.name] = ToTensor(constant);
  }
  for (const Node& node : graph.nodes) {
    if (FindOp(node.op) == nullptr) Fail(ExitCode::kModel, "the operator '{}' is not known here", node.op);
    for (const std::string& input : node.inputs) {
      if (known.count(input) == 0) Fail(ExitCode::kModel, "nothing makes '{}', which a {} reads", input, node.op);
    }
    if (node.outputs.size() != 1)
      Fail(ExitCode::kModel, "a {} has {} outputs, and one was expected", node.op, node.outputs.size());
    known.insert(node.outputs.front());
  }
}

Values Runner::Run(Values values, const std::vector<std::string>& wanted) const {
  const at::InferenceMode inference;
  const Schedule schedule = MakeSchedule(graph_, wanted);
  const auto find = [&](const std::string& name) {
    if (name.empty()) return at::Tensor();
    const auto constant = constants_.find(name);
    if (constant != constants_.end()) return constant->second;
    const auto found = values.find(name);
    if (found == values.end()) Fail(ExitCode::kModel, "'{}' is not there to be computed from", name);
    return found->second;
  };
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (!schedule.needed[i]) continue;
    const Node& node = graph_.nodes[i];
    Inputs inputs;
    for (const std::string& name : node.inputs) inputs.push_back(find(name));
    try {
      values[node.outputs.front()] = FindOp(node.op)(node, inputs);
    } catch (const c10::Error& error) {
      Fail(ExitCode::kModel, "the {} that makes '{}' can't be computed: {}", node.op, node.outputs.front(),
           error.what_without_backtrace());
    }
    inputs.clear();
    for (const std::string& name : node.inputs) {
      const auto last = schedule.last.find(name);
      if (last != schedule.last.end() && last->second == i) values.erase(name);
    }
  }
  Values result;
  for (const std::string& name : wanted) result[name] = find(name);
  return result;
}

}  // namespace spotter::onnx
