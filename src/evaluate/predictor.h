// SPDX-License-Identifier: Apache-2.0
// The classes of image files, without labels.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evaluate/compute.h"
#include "model_file/model_file.h"

namespace spotter {

struct Prediction {
  std::string file;
  std::string problem;                         // empty when the image could be read
  std::vector<std::pair<size_t, double>> top;  // class, probability in [0, 1]; the most probable first
};

/// The files as a data set of the model's shape, decoded and resized as its training images were, labels all 0, one
/// image a file, in order. problems[i] says why file i could not be read (its pixels are 0 then), else it is empty.
Dataset ReadImageFiles(const std::vector<std::string>& files, const Preprocessing& preprocessing, int threads,
                       std::vector<std::string>& problems);

/// Decodes the files, brings them to the model's shape as its training images were, and predicts their `top` most
/// probable classes (all, where there are fewer), one Prediction a file, in order. All files are computed at once: give
/// at most EvaluationBatch() of them. A file that can't be read is told by its `problem`; nothing is thrown for it.
std::vector<Prediction> PredictFiles(const Model& model, const Compute& compute, const std::vector<std::string>& files,
                                     int64_t top);

}  // namespace spotter
