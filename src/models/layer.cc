// SPDX-License-Identifier: Apache-2.0
#include "models/layer.h"

#include <fmt/format.h>

#include <utility>

namespace spotter {

std::string ToString(const FeatureShape& shape) {
  return shape.is_map() ? fmt::format("({}, {}, {})", shape.height, shape.width, shape.channels)
                        : fmt::format("({})", shape.channels);
}

void Layer::SetNames(std::string name, std::string description) {
  name_ = std::move(name);
  description_ = std::move(description);
  for (Parameter& parameter : parameters_) parameter.name = name_ + "." + parameter.name;
}

}  // namespace spotter
