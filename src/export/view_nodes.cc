// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "export/nodes.h"

namespace spotter {
namespace {

class ViewWriter {
 public:
  ViewWriter(GraphBuilder& graph, const Network& network) : graph_(graph), network_(network) {}

  Value Logits(const Value& x) { return NetworkNodes(graph_, x, network_); }

  /// The weighted mean over all views of x, of which the logits of the first are known.
  Value AllViews(const Value& x, const Value& plain, int count) {
    const Value still = WithMirror(x, plain);
    if (count == 2) return still;
    const Value padded =
        graph_.Add("Pad", {x, graph_.Integers({0, 0, 1, 1, 0, 0, 1, 1})}, {{"mode", std::string("reflect")}});
    Value moved;
    for (const int64_t by : {1, -1}) {
      const Value view = Shifted(padded, by);
      const Value both = WithMirror(view, Logits(view));
      moved = moved.empty() ? both : graph_.Add("Add", {moved, both});
    }
    return graph_.Add("Add", {Times(still, 0.5), Times(moved, 0.25)});
  }

 private:
  Value Times(const Value& x, double factor) { return graph_.Add("Mul", {x, graph_.Float(factor)}); }

  Value WithMirror(const Value& x, const Value& plain) {
    const Value mirror =
        graph_.Add("Slice", {x, graph_.Integers({-1}), graph_.Integers({std::numeric_limits<int64_t>::min()}),
                             graph_.Integers({3}), graph_.Integers({-1})});
    return Times(graph_.Add("Add", {plain, Logits(mirror)}), 0.5);
  }

  Value Shifted(const Value& padded, int64_t by) {
    const FeatureShape& shape = network_.input_shape();
    const int64_t begin = 1 - by;
    return graph_.Add("Slice", {padded, graph_.Integers({begin, begin}),
                                graph_.Integers({begin + shape.height, begin + shape.width}), graph_.Integers({2, 3})});
  }

  GraphBuilder& graph_;
  const Network& network_;
};

}  // namespace

Value ViewNodes(GraphBuilder& graph, const Value& x, const Network& network, const Views& views) {
  ViewWriter write(graph, network);
  const Value plain = write.Logits(x);
  if (views.count == 1) return plain;
  if (views.below >= 1) return write.AllViews(x, plain, views.count);
  const Value sure = graph.Add("ReduceMax", {graph.Add("Softmax", {plain}, {{"axis", int64_t{1}}})},
                               {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  const Value places = graph.Add("NonZero", {graph.Add("Less", {sure, graph.Float(views.below)})});  // (1, unsure)
  const Value unsure = graph.Add("Gather", {places, graph.Integer(0)}, {{"axis", int64_t{0}}}, "unsure");
  const Value some = graph.Add("Gather", {x, unsure}, {{"axis", int64_t{0}}});
  const Value logits = write.AllViews(some, graph.Add("Gather", {plain, unsure}, {{"axis", int64_t{0}}}), views.count);
  return graph.Add("ScatterND", {plain, graph.Add("Unsqueeze", {unsure, graph.Integers({1})}), logits});
}

}  // namespace spotter
