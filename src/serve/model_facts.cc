// SPDX-License-Identifier: Apache-2.0
#include "serve/model_facts.h"

#include "evaluate/explain.h"

namespace spotter {

Json DescribeModel(const std::string& name, const std::string& version, const Model& model) {
  const ImageShape& shape = model.preprocessing.shape;
  int64_t parameters = 0;
  for (const Parameter* parameter : model.network.parameters())
    parameters += parameter->trainable() ? parameter->value.numel() : 0;
  return {{"name", name},
          {"version", version},
          {"classes", model.classes},
          {"layers", model.network.text()},
          {"parameters", parameters},
          {"image",
           {{"height", shape.height},
            {"width", shape.width},
            {"channels", shape.channels},
            {"resize", ResizePolicyName(model.preprocessing.resize)}}},
          {"heat_map", CanExplain(model.network)},
          {"test", model.test ? ToJson(*model.test) : Json()}};
}

}  // namespace spotter
