// SPDX-License-Identifier: Apache-2.0
#include "models/network.h"

#include <cmath>
#include <numeric>
#include <span>

#include "base/random.h"
#include "base/text.h"
#include "models/language.h"

namespace spotter {
namespace {

/// U(-limit, limit), filled in the tensor's logical (row-major) order whatever its memory format.
void FillUniform(at::Tensor& tensor, double limit, uint64_t seed, uint32_t place) {
  at::Tensor values = at::empty(tensor.sizes());
  float* out = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); i += 4) {
    const auto words = RandomWords(seed, Stream::kInit, place, static_cast<uint64_t>(i));
    for (int64_t k = i; k < std::min(i + 4, values.numel()); ++k) {
      out[k] = static_cast<float>((2.0 * UnitFloat(words[static_cast<size_t>(k - i)]) - 1.0) * limit);
    }
  }
  tensor.copy_(values);
}

void SetDirac(at::Tensor& kernel) {
  for (int64_t i = 0; i < std::min(kernel.size(0), kernel.size(1)); ++i) {
    kernel[i].zero_();
    kernel[i][i][kernel.size(2) / 2][kernel.size(3) / 2].fill_(1);
  }
}

/// Divides by the standard deviation. Summed in order, so that the number of threads can't change it.
void SetUnitDeviation(at::Tensor& kernel) {
  const at::Tensor values = kernel.contiguous();
  const std::span<const float> v(values.const_data_ptr<float>(), static_cast<size_t>(values.numel()));
  const auto n = static_cast<double>(v.size());
  const double mean = std::accumulate(v.begin(), v.end(), 0.0) / n;
  const double squares =
      std::accumulate(v.begin(), v.end(), 0.0, [&](double sum, double x) { return sum + (x - mean) * (x - mean); });
  if (v.size() > 1 && squares > 0) kernel.div_(std::sqrt(squares / (n - 1)));
}

void FillKernel(Parameter& kernel, uint64_t seed, uint32_t place) {
  const auto fan_in = static_cast<double>(kernel.fan_in), fan_out = static_cast<double>(kernel.fan_out);
  const bool glorot = kernel.initial == Initial::kGlorot;
  FillUniform(kernel.value, std::sqrt(glorot ? 6.0 / (fan_in + fan_out) : 1.0 / fan_in), seed, place);
  if (kernel.initial == Initial::kDirac) SetDirac(kernel.value);
  if (kernel.initial == Initial::kUnit) SetUnitDeviation(kernel.value);
}

}  // namespace

Network::Network(std::string layers, const FeatureShape& input, int64_t classes)
    : text_(std::move(layers)), input_(input), classes_(classes), layers_(BuildLayers(text_, input, classes)) {}

at::Tensor Network::Forward(at::Tensor x, const ForwardContext& context) const {
  for (const auto& layer : layers_) x = layer->Forward(x, context);
  return x.to(at::kFloat);
}

void Network::InitializeParameters(uint64_t seed) {
  uint32_t place = 0;
  for (Parameter* parameter : parameters()) {
    switch (parameter->role) {
      case ParameterRole::kKernel:
      case ParameterRole::kWhitening:
        FillKernel(*parameter, seed, place);
        break;
      case ParameterRole::kWhiteningBias:
        FillUniform(parameter->value, 1 / std::sqrt(static_cast<double>(parameter->fan_in)), seed, place);
        break;
      case ParameterRole::kScale:
      case ParameterRole::kVariance:
        parameter->value.fill_(1);
        break;
      case ParameterRole::kBias:
      case ParameterRole::kMean:
        parameter->value.fill_(0);
        break;
    }
    ++place;
  }
}

void Network::MoveTo(const at::Device& device) {
  for (Parameter* parameter : parameters()) parameter->value = parameter->value.to(device);
}

std::vector<Parameter*> Network::parameters() const {
  std::vector<Parameter*> all;
  for (const auto& layer : layers_) {
    for (Parameter& parameter : layer->parameters()) all.push_back(&parameter);
  }
  return all;
}

const Parameter* Network::FirstNotFinite() const {
  for (const Parameter* parameter : parameters()) {
    if (!at::isfinite(parameter->value.detach()).all().item<bool>()) return parameter;
  }
  return nullptr;
}

int64_t Network::parameter_count() const {
  int64_t count = 0;
  for (const Parameter* parameter : parameters()) count += parameter->value.numel();
  return count;
}

int64_t Network::trainable_parameter_count() const {
  int64_t count = 0;
  for (const Parameter* parameter : parameters()) count += parameter->trainable() ? parameter->value.numel() : 0;
  return count;
}

int64_t Network::flops() const {
  int64_t sum = 0;
  for (const auto& layer : layers_) sum += layer->flops();
  return sum;
}

std::string Summary(const Network& network) {
  size_t width = 20;
  for (const auto& layer : network.layers())
    width = std::max(width, layer->name().size() + layer->description().size() + 5);
  const std::string rule(width + 54, '-');
  std::string text = fmt::format("{:<{}} {:<18} {:>14} {:>18}\n{}\n", "Layer", width, "Output shape", "Parameters",
                                 "FLOPs an image", rule);
  text += fmt::format("{:<{}} {:<18} {:>14} {:>18}\n", "input", width, ToString(network.input_shape()), 0, 0);
  for (const auto& layer : network.layers()) {
    int64_t parameters = 0;
    for (const Parameter& parameter : layer->parameters()) parameters += parameter.value.numel();
    text +=
        fmt::format("{:<{}} {:<18} {:>14} {:>18}\n", fmt::format("{} ({})", layer->name(), layer->description()), width,
                    ToString(layer->output_shape()), WithThousands(parameters), WithThousands(layer->flops()));
  }
  const int64_t all = network.parameter_count();
  const int64_t trainable = network.trainable_parameter_count();
  return text + fmt::format(
                    "{}\nTotal parameters: {} ({}). Trainable: {}. Not trainable: {}.\nFLOPs an image, forward: {} "
                    "(two a multiply-add)\n",
                    rule, WithThousands(all), HumanBytes(4.0 * static_cast<double>(all)), WithThousands(trainable),
                    WithThousands(all - trainable), WithThousands(network.flops()));
}

}  // namespace spotter
