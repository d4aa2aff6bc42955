// SPDX-License-Identifier: Apache-2.0
// Whether an exported file answers as the model does.
#pragma once

#include <filesystem>
#include <functional>
#include <span>

#include "data/dataset.h"
#include "model_file/model_file.h"

namespace spotter {

struct ExportCheck {
  int64_t images = 0;
  int64_t same = 0;           // images of which both find the same class the most probable
  double largest = 0;         // difference of two logits
  double model_accuracy = 0;  // of the model, in fp32, on these images
  double exported_accuracy = 0;
};

using CheckProgress = std::function<void(int64_t done)>;

/// Reads the ONNX file back from disk, computes it (onnx/run.h) on images of a data set of the model's shape, and
/// compares with the model in fp32. `progress` is told the images done. Throws Error(kModel) when the file can't be
/// computed, or gives logits that are no numbers.
ExportCheck CheckOnnx(const std::filesystem::path& file, const Model& model, const Dataset& data,
                      std::span<const int64_t> indices, int threads, const CheckProgress& progress = {});

/// The same for a model file.
ExportCheck CheckModelFile(const std::filesystem::path& file, const Model& model, const Dataset& data,
                           std::span<const int64_t> indices, int threads, const CheckProgress& progress = {});

/// The same for a page that classifies by itself: its program, computed by the plain reference.
ExportCheck CheckPage(const std::filesystem::path& file, const Model& model, const Dataset& data,
                      std::span<const int64_t> indices, int threads, const CheckProgress& progress = {});

}  // namespace spotter
