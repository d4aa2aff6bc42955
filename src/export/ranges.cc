// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "export/int8.h"

namespace spotter {
namespace {

constexpr int kBins = 2048;
constexpr int kTries = 100;        // places that are tried for an end of a range,
constexpr double kMostCut = 0.95;  // from the extreme value down to this share less

struct Histogram {
  double low = 0;
  double high = 0;
  std::vector<double> counts = std::vector<double>(kBins, 0);
  double centre(int bin) const { return low + (high - low) * (bin + 0.5) / kBins; }
};

/// The squared error of 256 levels from low to high.
double SquaredError(const Histogram& h, double low, double high) {
  const double scale = (high - low) / 255;
  double error = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    const double value = h.centre(bin);
    // Within the range the error is uniform over a step; outside it is the distance.
    const double beyond = value - std::clamp(value, low, high);
    error += h.counts[static_cast<size_t>(bin)] * (beyond * beyond + scale * scale / 12);
  }
  return error;
}

/// One end after the other is moved in as far as it lowers the error.
QuantizedRange BestRange(const Histogram& h) {
  if (h.high <= h.low) return {0, 1};  // all values are 0
  double low = h.low;
  double high = h.high;
  double best = SquaredError(h, low, high);
  for (double* end : {&high, &low}) {
    const double outer = *end;
    double kept = outer;
    for (int i = 1; i < kTries; ++i) {
      *end = outer * (1 - kMostCut * i / kTries);
      const double error = SquaredError(h, low, high);
      if (error < best) {
        best = error;
        kept = *end;
      }
    }
    *end = kept;
  }
  return {static_cast<float>(low), static_cast<float>(high)};
}

}  // namespace

std::vector<std::string> ValuesToQuantize(const onnx::Graph& graph) {
  const std::set<std::string> integer_ops = {"Conv", "Gemm", "MaxPool"};
  std::map<std::string, std::vector<const onnx::Node*>> readers;
  for (const onnx::Node& node : graph.nodes) {
    for (const std::string& input : node.inputs) readers[input].push_back(&node);
  }
  std::vector<std::string> values;
  std::set<std::string> seen;
  const auto add = [&](const std::string& value) {
    if (seen.insert(value).second) values.push_back(value);
  };
  for (const onnx::Node& node : graph.nodes) {
    if (!integer_ops.contains(node.op)) continue;
    add(node.inputs[0]);
    const auto& next = readers[node.outputs[0]];
    if (next.size() == 1 && next[0]->op == "Relu") {
      add(next[0]->outputs[0]);
    } else if (node.op != "Gemm") {  // what a Gemm without ReLU gives are logits, or goes into fp32 arithmetic
      add(node.outputs[0]);
    }
  }
  return values;
}

QuantizedRanges MeasureRanges(const onnx::Graph& graph, int64_t batches,
                              const std::function<onnx::Values(int64_t i)>& batch) {
  const onnx::Runner runner(graph);
  const std::vector<std::string> wanted = ValuesToQuantize(graph);
  std::map<std::string, Histogram> histograms;
  for (int64_t i = 0; i < batches; ++i) {
    for (const auto& [name, value] : runner.Run(batch(i), wanted)) {
      if (value.numel() == 0) continue;
      Histogram& h = histograms[name];
      h.low = std::min(h.low, value.min().item<double>());
      h.high = std::max(h.high, value.max().item<double>());
    }
  }
  for (int64_t i = 0; i < batches; ++i) {
    for (const auto& [name, value] : runner.Run(batch(i), wanted)) {
      const auto found = histograms.find(name);
      if (value.numel() == 0 || found == histograms.end() || found->second.high <= found->second.low) continue;
      Histogram& h = found->second;
      const at::Tensor counts = at::histc(value.to(at::kFloat), kBins, h.low, h.high).contiguous();
      for (int bin = 0; bin < kBins; ++bin) h.counts[static_cast<size_t>(bin)] += counts.const_data_ptr<float>()[bin];
    }
  }
  QuantizedRanges ranges;
  for (const std::string& name : wanted) ranges[name] = BestRange(histograms[name]);
  return ranges;
}

}  // namespace spotter
