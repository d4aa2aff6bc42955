// SPDX-License-Identifier: Apache-2.0
// predictions.csv, read back.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace spotter {

struct PredictionLine {
  std::string file;
  std::string label;
  std::string prediction;
  double probability = 0;
  bool correct() const { return label == prediction; }
};

/// The lines of a file as PredictionsCsv writes it. Throws Error(kIo), Error(kModel) for another form.
std::vector<PredictionLine> ReadPredictions(const std::filesystem::path& path);

}  // namespace spotter
