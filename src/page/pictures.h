// SPDX-License-Identifier: Apache-2.0
// The pictures of a run as files, for a paper or slides.
#pragma once

#include <filesystem>

#include "page/report_input.h"

namespace spotter {

/// NAME.svg and NAME.png in `folder`, which is made: loss, accuracy, learning_rate, images_per_second; with results
/// also confusion_matrix, confusion_matrix_normalised, reliability, coverage, mistakes, unsure. Throws Error(kIo).
void WritePictures(const std::filesystem::path& folder, const ReportInput& input);

/// The confusion matrix and the most confident mistakes as SVG files, for other places that show them.
std::string ConfusionSvg(const ReportInput& input, bool normalised);
std::string ExamplesSvg(const ReportInput& input, const std::string& title, const std::vector<size_t>& examples);

}  // namespace spotter
