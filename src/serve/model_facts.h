// SPDX-License-Identifier: Apache-2.0
// What a page and GET /api/models tell of a model.
#pragma once

#include <string>

#include "base/json.h"
#include "model_file/model_file.h"

namespace spotter {

/// {"name", "version", "classes", "layers", "parameters" (that are trained), "image": {"height", "width", "channels",
/// "resize"}, "heat_map": whether one can be made, "test": {"split", "images", "accuracy", "accuracy_interval"} or
/// null}.
Json DescribeModel(const std::string& name, const std::string& version, const Model& model);

}  // namespace spotter
