// SPDX-License-Identifier: Apache-2.0
// From a finished model to everything that people look at.
#pragma once

#include <string>

#include "page/report_input.h"
#include "report/run_folder.h"

namespace spotter {

/// The images that a finished model is measured on: the test images, else the validation images, else all it has.
std::pair<std::string, std::vector<int64_t>> ImagesToEvaluate(const Splits& splits);

/// The model on those; the gallery is still empty.
Results EvaluateFinished(const Model& model, const Dataset& data, const Splits& splits, const Compute& compute);

/// report.html and pictures/ in the run's folder. Throws Error(kIo).
void WriteReport(const RunFolder& run, const ReportInput& input);

/// Writes a page to a path that holds nothing yet, or a page of ours. Throws Error(kUsage) for anything else,
/// Error(kIo).
void WritePage(const std::filesystem::path& path, const std::string& page);

}  // namespace spotter
