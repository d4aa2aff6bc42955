// SPDX-License-Identifier: Apache-2.0
#include "train/freeze.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

bool Learns(const Layer& layer) {
  return std::any_of(layer.parameters().begin(), layer.parameters().end(),
                     [](const Parameter& parameter) { return parameter.trainable(); });
}

/// The place behind the layer of that name; 0 where there is none.
size_t Behind(const Network& network, const std::string& name) {
  const auto& layers = network.layers();
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i]->name() == name) return i + 1;
  }
  return 0;
}

}  // namespace

void CheckFreeze(const Network& network, const std::string& through) {
  const auto& layers = network.layers();
  std::vector<std::string> possible;  // layers that learn, but for the last
  for (const auto& layer : layers) {
    if (Learns(*layer)) possible.push_back(layer->name());
  }
  if (!possible.empty()) possible.pop_back();
  const size_t behind = Behind(network, through);
  if (behind == 0) {
    Fail(ExitCode::kUsage, "--freeze-through {}: the network has no layer of that name; {}", Printable(through),
         possible.empty() ? "none of it can be frozen" : "those that can be frozen are " + Join(possible, ", "));
  }
  const auto rest = layers.begin() + static_cast<std::ptrdiff_t>(behind);
  if (std::none_of(rest, layers.end(), [](const auto& layer) { return Learns(*layer); })) {
    Fail(ExitCode::kUsage, "--freeze-through {}: no layer behind it learns; name one before the last that does",
         through);
  }
}

void FreezeThrough(const Network& network, const std::string& through) {
  const size_t behind = Behind(network, through);
  for (size_t i = 0; i < behind; ++i) {
    for (Parameter& parameter : network.layers()[i]->parameters()) {
      parameter.value.set_requires_grad(false);
      parameter.value.mutable_grad().reset();
    }
  }
}

}  // namespace spotter
