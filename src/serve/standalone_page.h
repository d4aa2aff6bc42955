// SPDX-License-Identifier: Apache-2.0
// The page of `spotter serve` without the service: one HTML file that classifies in the browser by itself.
#pragma once

#include <string>

#include "base/json.h"
#include "model_file/model_file.h"

namespace spotter {

/// `about` as DescribeModel gives it. The weights are halves. Throws Error(kModel) as ToBrowserProgram does.
std::string StandalonePage(const Model& model, const Json& about);

}  // namespace spotter
