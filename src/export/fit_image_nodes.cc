// SPDX-License-Identifier: Apache-2.0
#include "export/nodes.h"

namespace spotter {
namespace {

/// Arithmetic on doubles, as resize.cc has it.
class Arithmetic {
 public:
  explicit Arithmetic(GraphBuilder& graph) : graph_(graph) {}
  Value operator()(const char* op, const Value& a, const Value& b) { return graph_.Add(op, {a, b}); }
  Value operator()(const char* op, const Value& a, double b) { return graph_.Add(op, {a, graph_.Double(b)}); }
  Value operator()(const char* op, double a, const Value& b) { return graph_.Add(op, {graph_.Double(a), b}); }
  Value operator()(const char* op, const Value& a) { return graph_.Add(op, {a}); }
  Value Cast(const Value& a, onnx::Type type) { return graph_.Add("Cast", {a}, {{"to", static_cast<int64_t>(type)}}); }

 private:
  GraphBuilder& graph_;
};

/// One axis: `size` pixels, of which those from `begin` on, so many, become outputs `top` to `top + inner`. Scalars.
struct Axis {
  Value size;
  Value begin;
  Value extent;
  Value top;
  Value inner;
};

/// One side of an image after another, of another target; what both need is made from both sizes.
Axis MakeAxis(GraphBuilder& graph, ResizePolicy policy, const Value& size, int64_t target, const Value& scale) {
  Arithmetic make(graph);
  const Value zero = graph.Double(0);
  const Value all = graph.Double(static_cast<double>(target));
  const auto n = static_cast<double>(target);
  switch (policy) {
    case ResizePolicy::kStretch:
      return {size, zero, size, zero, all};
    case ResizePolicy::kCrop: {  // scale: input pixels an output pixel
      const Value margin = make("Div", make("Sub", size, make("Mul", scale, n)), 2.0);
      const Value begin = make("Max", margin, 0.0);
      return {size, begin, make("Sub", make("Min", make("Sub", size, margin), size), begin), zero, all};
    }
    case ResizePolicy::kPad: {  // scale: output pixels an input pixel
      const Value rounded = make("Floor", make("Add", make("Mul", size, scale), 0.5));
      const Value inner = make("Min", make("Max", rounded, 1.0), n);
      return {size, zero, size, make("Floor", make("Div", make("Sub", n, inner), 2.0)), inner};
    }
  }
  return {};
}

constexpr double kOne = 1 << 22;  // weights are whole numbers, in units of 1 / kOne, as in resize.cc

/// (target, size): what each output pixel takes of each input pixel, times kOne. Rows of a pad's border are 0.
Value Weights(GraphBuilder& graph, const Axis& axis, int64_t target) {
  Arithmetic make(graph);
  const Value outputs = graph.Constant(at::arange(target, at::kDouble).unsqueeze(1));
  const Value inputs = graph.Add("Range", {graph.Double(0), axis.size, graph.Double(1)});
  const Value scale = make("Div", axis.extent, axis.inner);
  const Value support = make("Max", scale, 1.0);
  const Value place = make("Sub", outputs, axis.top);
  const Value centre = make("Add", make("Mul", make("Add", place, 0.5), scale), axis.begin);
  const Value distance = make("Abs", make("Sub", make("Add", inputs, 0.5), centre));
  const Value weight = make("Max", make("Sub", 1.0, make("Div", distance, support)), 0.0);
  const Value sum = graph.Add("ReduceSum", {weight, graph.Integers({1})});
  const Value share = make("Div", weight, make("Max", sum, 1e-9));
  const Value inside = make("Mul", make.Cast(make("Less", -0.5, place), onnx::Type::kDouble),
                            make.Cast(make("Less", place, axis.inner), onnx::Type::kDouble));
  return make("Floor", make("Add", make("Mul", make("Mul", share, inside), kOne), 0.5));
}

/// Sums of weights times bytes, back to bytes. Exact: in double they are whole numbers below 2^53.
Value ToBytes(GraphBuilder& graph, const Value& sums) {
  Arithmetic make(graph);
  const Value rounded = make("Floor", make("Add", make("Div", sums, kOne), 0.5));
  return graph.Add("Clip", {rounded, graph.Double(0), graph.Double(255)});
}

}  // namespace

Value FitImageNodes(GraphBuilder& graph, const Value& images, const ImageShape& shape, ResizePolicy policy) {
  Arithmetic make(graph);
  const Value sizes = make.Cast(graph.Add("Shape", {images}), onnx::Type::kDouble);
  const Value height = graph.Add("Gather", {sizes, graph.Integer(1)}, {{"axis", int64_t{0}}}, "image_height");
  const Value width = graph.Add("Gather", {sizes, graph.Integer(2)}, {{"axis", int64_t{0}}}, "image_width");
  Value scale;
  if (policy == ResizePolicy::kCrop)
    scale = make("Min", make("Div", height, shape.height), make("Div", width, shape.width));
  if (policy == ResizePolicy::kPad)
    scale = make("Min", make("Div", shape.height, height), make("Div", shape.width, width));
  const Value rows = Weights(graph, MakeAxis(graph, policy, height, shape.height, scale), shape.height);
  const Value columns = Weights(graph, MakeAxis(graph, policy, width, shape.width, scale), shape.width);

  const Value planes = graph.Add("Transpose", {images}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  const Value x = make.Cast(planes, onnx::Type::kDouble);
  const Value across = graph.Add("Transpose", {columns}, {{"perm", std::vector<int64_t>{1, 0}}});
  const Value narrow = ToBytes(graph, graph.Add("MatMul", {x, across}));
  return make.Cast(ToBytes(graph, graph.Add("MatMul", {rows, narrow})), onnx::Type::kFloat);
}

Value NormalizeNodes(GraphBuilder& graph, const Value& pixels, const Preprocessing& preprocessing) {
  const int64_t channels = preprocessing.shape.channels;
  const auto each = [&](const std::array<float, 3>& values) {
    return graph.Constant(
        at::tensor(std::vector<float>(values.begin(), values.begin() + channels)).view({1, channels, 1, 1}));
  };
  const Value share = graph.Add("Div", {pixels, graph.Float(255)});
  const Value centred = graph.Add("Sub", {share, each(preprocessing.mean)});
  return graph.Add("Div", {centred, each(preprocessing.std)}, {}, "network_input");
}

}  // namespace spotter
