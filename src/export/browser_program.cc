// SPDX-License-Identifier: Apache-2.0
#include "export/browser_program.h"

#include <ATen/ATen.h>

#include <map>

#include "base/error.h"

namespace spotter {
namespace {

Json ToJson(const FeatureShape& shape) {
  return {{"height", shape.height}, {"width", shape.width}, {"channels", shape.channels}};
}

/// One layer after another.
class StepWriter {
 public:
  explicit StepWriter(const FeatureShape& input) : shape_(input) {}

  void Write(const Layer& layer) {
    layer_ = &layer;
    std::visit(*this, layer.spec());
    shape_ = layer.output_shape();
  }

  void operator()(const ConvSpec& spec) {
    Json step = WindowStep("conv", spec.window);
    // (out, in, height, width) -> (height, width, in, out)
    AddWeights(std::move(step), [](const at::Tensor& w) { return w.permute({2, 3, 1, 0}); });
    AddActivation(spec.activation);
  }
  void operator()(const DenseSpec& spec) {
    AddWeights({{"do", "dense"}}, [](const at::Tensor& w) { return w.t(); });
    AddActivation(spec.activation);
  }
  void operator()(const MaxPoolSpec& spec) { steps.push_back(WindowStep("maxpool", spec.window)); }
  void operator()(const AvgPoolSpec& spec) { steps.push_back(WindowStep("avgpool", spec.window)); }
  void operator()(const GlobalPoolSpec& spec) {
    const Window whole{.kernel_height = shape_.height, .kernel_width = shape_.width};
    steps.push_back(WindowStep(spec.maximum ? "maxpool" : "avgpool", whole));
  }
  void operator()(const BatchNormSpec& spec) {
    const at::Tensor mean = Find(ParameterRole::kMean)->value, variance = Find(ParameterRole::kVariance)->value;
    const Parameter* gamma = Find(ParameterRole::kScale);
    at::Tensor scale = at::rsqrt(variance.to(at::kDouble) + spec.epsilon);
    if (gamma != nullptr) scale = scale * gamma->value;
    const at::Tensor shift = Find(ParameterRole::kBias)->value - mean * scale;
    steps.push_back({{"do", "affine"}, {"scale", Floats(scale)}, {"shift", Floats(shift)}});
  }
  void operator()(const DropoutSpec&) {}
  void operator()(const FlattenSpec&) {}
  void operator()(const ActivationSpec& spec) { AddActivation(spec.activation); }
  void operator()(const ScaleSpec& spec) { steps.push_back({{"do", "scale"}, {"factor", spec.factor}}); }
  void operator()(const SkipSpec& spec) { steps.push_back({{"do", "skip"}, {"slot", SlotNumber(spec.slot)}}); }
  void operator()(const AddSpec& spec) { steps.push_back({{"do", "add"}, {"slot", SlotNumber(spec.slot)}}); }

  Json steps = Json::array();
  std::string weights;

 private:
  const Parameter* Find(ParameterRole role) const {
    for (const Parameter& parameter : layer_->parameters()) {
      if (parameter.role == role) return &parameter;
    }
    return nullptr;
  }

  Json WindowStep(const char* what, const Window& window) const {
    const WindowAxis y = AlongAxis(shape_.height, window.kernel_height, window);
    const WindowAxis x = AlongAxis(shape_.width, window.kernel_width, window);
    return {{"do", what},
            {"kernel", {window.kernel_height, window.kernel_width}},
            {"stride", window.stride},
            {"pad", {y.pad_before, x.pad_before}},
            {"in", ToJson(shape_)},
            {"out", {{"height", y.output}, {"width", x.output}, {"channels", layer_->output_shape().channels}}}};
  }

  template <typename Order>
  void AddWeights(Json step, const Order& in_order) {
    const at::Tensor& weight = layer_->parameters().front().value;
    step["outputs"] = weight.size(0);
    step["weight"] = Halves(in_order(weight));
    if (layer_->parameters().size() > 1) step["bias"] = Floats(layer_->parameters()[1].value);
    steps.push_back(std::move(step));
  }
  void AddActivation(const Activation* activation) {
    if (activation != nullptr) steps.push_back({{"do", "activation"}, {"name", activation->name}});
  }

  Json Halves(const at::Tensor& values) {
    const at::Tensor halves = values.to(at::kCPU, at::kHalf).contiguous();
    if (!halves.isfinite().all().item<bool>())
      Fail(ExitCode::kModel, "a weight of {} is too large for 16 bits", layer_->name());
    return Append(halves);
  }
  Json Floats(const at::Tensor& values) { return Append(values.to(at::kCPU, at::kFloat).contiguous()); }
  Json Append(const at::Tensor& values) {
    weights.resize((weights.size() + 3) / 4 * 4);
    const Json ref = {{"at", weights.size()}, {"count", values.numel()}};
    weights.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
    return ref;
  }
  size_t SlotNumber(const SkipSlot* slot) { return slots_.try_emplace(slot, slots_.size()).first->second; }

  FeatureShape shape_;  // of what comes in
  const Layer* layer_ = nullptr;
  std::map<const SkipSlot*, size_t> slots_;
};

}  // namespace

BrowserProgram ToBrowserProgram(const Model& model) {
  StepWriter writer(model.network.input_shape());
  for (const auto& layer : model.network.layers()) writer.Write(*layer);
  const Preprocessing& how = model.preprocessing;
  const auto channels = static_cast<size_t>(how.shape.channels);
  return {.description = {{"steps", std::move(writer.steps)},
                          {"input", ToJson(model.network.input_shape())},
                          {"resize", ResizePolicyName(how.resize)},
                          {"mean", std::vector<float>(how.mean.begin(), how.mean.begin() + channels)},
                          {"std", std::vector<float>(how.std.begin(), how.std.begin() + channels)},
                          {"views", {{"count", how.views.count}, {"below", how.views.below}}},
                          {"temperature", model.temperature}},
          .weights = std::move(writer.weights)};
}

}  // namespace spotter
