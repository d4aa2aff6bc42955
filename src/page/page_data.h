// SPDX-License-Identifier: Apache-2.0
// What the page's script gets: the confusion matrix, the examples and their picture sheets.
#pragma once

#include "base/json.h"
#include "page/report_input.h"

namespace spotter {

/// {"classes": [name, ...], "confusion": [[truth, prediction, images], ...] without zeros,
///  "examples": [{"name", "truth", "prediction", "top": [[class, probability], ...], "tile", "heat"}, ...],
///  "mistakes": [example, ...], "unsure": [example, ...],
///  "sheet": {"height", "width", "columns", "images": data URI, "heat": data URI or ""}};
/// {"classes"} alone before there is an evaluation.
Json PageData(const ReportInput& input);

}  // namespace spotter
