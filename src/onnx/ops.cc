// SPDX-License-Identifier: Apache-2.0
#include "onnx/ops.h"

#include <algorithm>
#include <limits>
#include <map>

#include "onnx/values.h"

namespace spotter::onnx {
namespace {

std::vector<int64_t> Integers(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kLong).contiguous();
  return {values.const_data_ptr<int64_t>(), values.const_data_ptr<int64_t>() + values.numel()};
}

/// Padding that may be one-sided, written out: libtorch's own is the same on both sides.
at::Tensor PadMap(const Node& node, const at::Tensor& x, double value) {
  const auto pads = Get<std::vector<int64_t>>(node, "pads", {0, 0, 0, 0});  // top, left, bottom, right
  if (pads == std::vector<int64_t>{0, 0, 0, 0}) return x;
  return at::constant_pad_nd(x, {pads[1], pads[3], pads[0], pads[2]}, value);
}
std::vector<int64_t> Strides(const Node& node) { return Get<std::vector<int64_t>>(node, "strides", {1, 1}); }
std::vector<int64_t> KernelShape(const Node& node) { return Get<std::vector<int64_t>>(node, "kernel_shape", {}); }

at::Tensor Conv(const Node& node, const Inputs& in) {
  // Channels last is what libtorch is fast with.
  return at::conv2d(PadMap(node, in[0].contiguous(at::MemoryFormat::ChannelsLast), 0), in[1],
                    in.size() > 2 ? in[2] : at::Tensor(), Strides(node));
}

at::Tensor MaxPool(const Node& node, const Inputs& in) {
  const double lowest = -std::numeric_limits<double>::infinity();
  return at::max_pool2d(PadMap(node, in[0], lowest), KernelShape(node), Strides(node));
}

at::Tensor AveragePool(const Node& node, const Inputs& in) {
  const auto average = [&](const at::Tensor& x) { return at::avg_pool2d(x, KernelShape(node), Strides(node)); };
  const at::Tensor sum = average(PadMap(node, in[0], 0));
  if (Get<int64_t>(node, "count_include_pad", 0) != 0) return sum;
  const at::Tensor ones = at::ones({1, 1, in[0].size(2), in[0].size(3)}, in[0].options());
  return sum / average(PadMap(node, ones, 0));
}

at::Tensor Gemm(const Node& node, const Inputs& in) {
  const at::Tensor b = Get<int64_t>(node, "transB", 0) != 0 ? in[1].t() : in[1];
  const at::Tensor product = at::matmul(in[0], b);
  return in.size() > 2 ? product + in[2] : product;
}

at::Tensor Slice(const Node&, const Inputs& in) {
  const auto starts = Integers(in[1]);
  const auto ends = Integers(in[2]);
  const auto axes = Integers(in[3]);
  const auto steps = in.size() > 4 ? Integers(in[4]) : std::vector<int64_t>(axes.size(), 1);
  at::Tensor x = in[0];
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t n = x.size(axes[i]);
    const auto within = [&](int64_t at, int64_t least, int64_t most) {
      return std::clamp(at < 0 ? at + n : at, least, most);
    };
    if (steps[i] > 0) {
      x = x.slice(axes[i], within(starts[i], 0, n), within(ends[i], 0, n), steps[i]);
    } else {
      const int64_t first = within(starts[i], 0, n - 1);
      const int64_t stop = within(ends[i], -1, n - 1);
      x = x.index_select(axes[i], at::arange(first, stop, steps[i], at::kLong));
    }
  }
  return x;
}

at::Tensor Pad(const Node& node, const Inputs& in) {
  const auto pads = Integers(in[1]);  // the begins of all axes, then the ends
  const size_t axes = pads.size() / 2;
  std::vector<int64_t> last_first;
  for (size_t i = axes; i-- > 0;) last_first.insert(last_first.end(), {pads[i], pads[axes + i]});
  if (Get<std::string>(node, "mode", "constant") != "reflect")
    return at::constant_pad_nd(in[0], last_first, in.size() > 2 ? in[2].item() : at::Scalar(0));
  last_first.resize(4);  // libtorch reflects the two last axes of a map
  return at::reflection_pad2d(in[0], last_first);
}

at::Tensor Gather(const Node& node, const Inputs& in) {
  const int64_t axis = Get<int64_t>(node, "axis", 0);
  if (in[1].dim() == 0) return in[0].select(axis, in[1].item<int64_t>());
  return in[0].index_select(axis, in[1]);
}

/// Rows of the first input replaced: indices (rows, 1).
at::Tensor ScatterND(const Node&, const Inputs& in) { return in[0].index_copy(0, in[1].squeeze(1), in[2]); }

at::Tensor Clip(const Node&, const Inputs& in) { return at::clamp(in[0], in[1].item(), in[2].item()); }

/// A scale or zero point of each channel, along `axis` of x.
at::Tensor Along(const Node& node, const at::Tensor& values, const at::Tensor& x) {
  if (values.dim() == 0) return values;
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[static_cast<size_t>(Get<int64_t>(node, "axis", 1))] = values.numel();
  return values.view(shape);
}

at::Tensor QuantizeLinear(const Node& node, const Inputs& in) {
  const bool is_signed = in[2].scalar_type() == at::kChar;
  const at::Tensor y = at::round(in[0] / Along(node, in[1], in[0])) + Along(node, in[2], in[0]);
  return at::clamp(y, is_signed ? -128 : 0, is_signed ? 127 : 255).to(in[2].scalar_type());
}
at::Tensor DequantizeLinear(const Node& node, const Inputs& in) {
  at::Tensor x = in[0].to(at::kFloat);
  if (in.size() > 2) x = x - Along(node, in[2].to(at::kFloat), x);
  return x * Along(node, in[1], x);
}

at::Tensor BatchNormalization(const Node& node, const Inputs& in) {
  return at::batch_norm(in[0], in[1], in[2], in[3], in[4], /*training=*/false, 0, Get<float>(node, "epsilon", 1e-5f),
                        /*cudnn_enabled=*/false);
}

at::Tensor Shape(const Node&, const Inputs& in) { return at::tensor(in[0].sizes(), at::kLong); }

const std::map<std::string, Compute>& Ops() {
  static const std::map<std::string, Compute> ops = {
      {"Abs", [](const Node&, const Inputs& in) { return in[0].abs(); }},
      {"Add", [](const Node&, const Inputs& in) { return in[0] + in[1]; }},
      {"ArgMax",
       [](const Node& n, const Inputs& in) {
         return in[0].argmax(Get<int64_t>(n, "axis", 0), Get<int64_t>(n, "keepdims", 1) != 0);
       }},
      {"AveragePool", AveragePool},
      {"BatchNormalization", BatchNormalization},
      {"Cast", [](const Node& n,
                  const Inputs& in) { return in[0].to(ScalarTypeOf(static_cast<Type>(Get<int64_t>(n, "to", 0)))); }},
      {"Clip", Clip},
      {"Concat", [](const Node& n, const Inputs& in) { return at::cat(in, Get<int64_t>(n, "axis", 0)); }},
      {"Conv", Conv},
      {"DequantizeLinear", DequantizeLinear},
      {"Div",
       [](const Node&, const Inputs& in) {
         return in[0].is_floating_point() ? in[0] / in[1] : at::div(in[0], in[1], "trunc");
       }},
      {"Elu", [](const Node& n, const Inputs& in) { return at::elu(in[0], Get<float>(n, "alpha", 1.0f)); }},
      {"Erf", [](const Node&, const Inputs& in) { return at::erf(in[0]); }},
      {"Flatten", [](const Node&, const Inputs& in) { return in[0].flatten(1); }},
      {"Floor", [](const Node&, const Inputs& in) { return at::floor(in[0]); }},
      {"Gather", Gather},
      {"Gemm", Gemm},
      {"GlobalAveragePool",
       [](const Node&, const Inputs& in) {
         return in[0].mean(at::IntArrayRef{2, 3}, true);
       }},
      {"GlobalMaxPool",
       [](const Node&, const Inputs& in) {
         return in[0].amax({2, 3}, true);
       }},
      {"Identity", [](const Node&, const Inputs& in) { return in[0]; }},
      {"LeakyRelu",
       [](const Node& n, const Inputs& in) { return at::leaky_relu(in[0], Get<float>(n, "alpha", 0.01f)); }},
      {"Less", [](const Node&, const Inputs& in) { return in[0] < in[1]; }},
      {"MatMul", [](const Node&, const Inputs& in) { return at::matmul(in[0], in[1]); }},
      {"Max", [](const Node&, const Inputs& in) { return at::maximum(in[0], in[1]); }},
      {"MaxPool", MaxPool},
      {"Min", [](const Node&, const Inputs& in) { return at::minimum(in[0], in[1]); }},
      {"Mul", [](const Node&, const Inputs& in) { return in[0] * in[1]; }},
      {"NonZero", [](const Node&, const Inputs& in) { return at::nonzero(in[0]).t(); }},
      {"Pad", Pad},
      {"QuantizeLinear", QuantizeLinear},
      {"Range", [](const Node&,
                   const Inputs& in) { return at::arange(in[0].item(), in[1].item(), in[2].item(), in[0].options()); }},
      {"ReduceMax",
       [](const Node& n, const Inputs& in) {
         return in[0].amax(Get<std::vector<int64_t>>(n, "axes", {}), Get<int64_t>(n, "keepdims", 1) != 0);
       }},
      {"ReduceSum",
       [](const Node& n, const Inputs& in) { return in[0].sum(Integers(in[1]), Get<int64_t>(n, "keepdims", 1) != 0); }},
      {"Relu", [](const Node&, const Inputs& in) { return at::relu(in[0]); }},
      {"ScatterND", ScatterND},
      {"Shape", Shape},
      {"Sigmoid", [](const Node&, const Inputs& in) { return at::sigmoid(in[0]); }},
      {"Slice", Slice},
      {"Softmax", [](const Node& n, const Inputs& in) { return at::softmax(in[0], Get<int64_t>(n, "axis", -1)); }},
      {"Sub", [](const Node&, const Inputs& in) { return in[0] - in[1]; }},
      {"Tanh", [](const Node&, const Inputs& in) { return at::tanh(in[0]); }},
      {"Transpose",
       [](const Node& n, const Inputs& in) { return in[0].permute(Get<std::vector<int64_t>>(n, "perm", {})); }},
      {"Unsqueeze", [](const Node&, const Inputs& in) { return in[0].unsqueeze(in[1].item<int64_t>()); }},
  };
  return ops;
}

}  // namespace

Compute FindOp(const std::string& op) {
  const auto found = Ops().find(op);
  return found == Ops().end() ? nullptr : found->second;
}

}  // namespace spotter::onnx
