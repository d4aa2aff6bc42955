// SPDX-License-Identifier: Apache-2.0
#include "export/onnx_model.h"

#include <algorithm>
#include <cstring>

#include "base/json.h"
#include "base/version.h"
#include "export/int8.h"
#include "export/nodes.h"

namespace spotter {

at::Tensor RawImages(const Dataset& data, std::span<const int64_t> indices) {
  const ImageShape& shape = data.shape;
  at::Tensor images =
      at::empty({static_cast<int64_t>(indices.size()), shape.height, shape.width, shape.channels}, at::kByte);
  uint8_t* to = images.data_ptr<uint8_t>();
  for (const int64_t index : indices) {
    std::memcpy(to, data.image(index), static_cast<size_t>(shape.size()));
    to += shape.size();
  }
  return images;
}

onnx::Model ToOnnx(const Model& model) {
  const Preprocessing& preprocessing = model.preprocessing;
  const auto classes = static_cast<int64_t>(model.classes.size());
  GraphBuilder graph;
  graph.AddInput({"image", onnx::Type::kUint8, {"N", "height", "width", int64_t{preprocessing.shape.channels}}});
  const Value pixels = FitImageNodes(graph, "image", preprocessing.shape, preprocessing.resize);
  const Value x = NormalizeNodes(graph, pixels, preprocessing);
  const Value logits = ViewNodes(graph, x, model.network, preprocessing.views);
  const Value cooled = graph.Add("Div", {logits, graph.Float(model.temperature)});
  const Value best = graph.Add("ArgMax", {logits}, {{"axis", int64_t{1}}, {"keepdims", int64_t{0}}});
  const Value label = graph.Add("Gather", {graph.Texts(model.classes), best}, {{"axis", int64_t{0}}});
  graph.AddOutput(graph.Add("Softmax", {cooled}, {{"axis", int64_t{1}}}),
                  {"probabilities", onnx::Type::kFloat, {"N", classes}});
  graph.AddOutput(label, {"label", onnx::Type::kString, {"N"}});
  graph.AddOutput(logits, {"logits", onnx::Type::kFloat, {"N", classes}});

  onnx::Model onnx;
  onnx.producer = "spotter";
  onnx.producer_version = kVersion;
  onnx.description =
      "Classifies images: give them as uint8 (N, height, width, channels) of any one size; resize, normalisation, "
      "temperature and class names are inside.";
  onnx.metadata = {{"classes", DumpJson(Json(model.classes))},
                   {"layers", model.network.text()},
                   {"temperature", DumpJson(Json(model.temperature))}};
  onnx.graph = graph.Take();
  onnx.graph.name = "spotter";
  return onnx;
}

onnx::Model ToOnnxInt8(const Model& model, const Dataset& data, std::span<const int64_t> indices,
                       const std::function<void(int64_t done, int64_t total)>& progress) {
  constexpr int64_t kBatch = 32;
  onnx::Model onnx = ToOnnx(model);
  const auto count = static_cast<int64_t>(indices.size());
  int64_t done = 0;
  const auto batch = [&](int64_t i) {
    const int64_t size = std::min(kBatch, count - i * kBatch);
    if (progress) progress(done, 2 * count);
    done += size;
    return onnx::Values{
        {"image", RawImages(data, indices.subspan(static_cast<size_t>(i * kBatch), static_cast<size_t>(size)))}};
  };
  onnx.graph = Quantize(onnx.graph, MeasureRanges(onnx.graph, (count + kBatch - 1) / kBatch, batch));
  return onnx;
}

}  // namespace spotter
