// SPDX-License-Identifier: Apache-2.0
// A graph whose products are of 8-bit integers: static quantization, calibrated on images.
//
// Written as QuantizeLinear and DequantizeLinear around Conv, Gemm and MaxPool, which runtimes join into integer
// kernels (Jacob et al. 2018; ONNX calls it QDQ). Activations are uint8 with one scale and zero point a value, weights
// int8 from -64 to 64 with a scale a filter, zero at 0, so that no processor's kernels overflow, biases int32.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "onnx/graph.h"
#include "onnx/run.h"

namespace spotter {

/// What 0 to 255 stand for. It holds 0.
struct QuantizedRange {
  float low = 0;
  float high = 0;
};
using QuantizedRanges = std::map<std::string, QuantizedRange>;

/// The values that become integers: what Conv, Gemm and MaxPool read, and what they give, after an activation that
/// follows. What leaves the graph stays as it is.
std::vector<std::string> ValuesToQuantize(const onnx::Graph& graph);

/// For each of them the range with the least squared error of rounding and cutting off, over batches of the graph's
/// inputs. `batch` gives batch i of `batches`, the same each time: they are run through twice, for the extremes and for
/// the histograms.
QuantizedRanges MeasureRanges(const onnx::Graph& graph, int64_t batches,
                              const std::function<onnx::Values(int64_t i)>& batch);

/// The graph with these values, and the weights of the layers that read them, as integers.
onnx::Graph Quantize(const onnx::Graph& graph, const QuantizedRanges& ranges);

}  // namespace spotter
