// SPDX-License-Identifier: Apache-2.0
// The images that a model is measured on: a run's own test images, or a part of other data.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "model_file/model_file.h"

namespace spotter {

struct ImageRequest {
  std::string verb;            // of the command, for its errors
  std::string model;           // a run's folder or a model file
  std::string data;            // "": the run's own
  std::string split = "auto";  // auto, train, validation, test, all; auto takes the test images, or all of other data
                               // that is not divided
  bool strict = false;         // an unreadable image is an error rather than skipped
  std::string or_else = {};    // what the user may do instead of naming images, for its errors
};

struct LabelledImages {
  std::string source;
  Dataset data;       // of the model's shape, its labels places in the model's classes
  std::string split;  // what the chosen ones are called
  std::vector<int64_t> indices;
};

/// Reads them, with progress. The run's own data is divided as the run had it, so that its test images are those that
/// it never saw. Throws Error(kUsage) when there is neither a run nor data, Error(kData) when the data has no such
/// images, or classes that the model does not know.
LabelledImages LoadLabelledImages(const ImageRequest& request, const Model& model, int threads);

}  // namespace spotter
