// SPDX-License-Identifier: Apache-2.0
// The evaluated images that a page shows: which ones, and their pictures in one sheet.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "draw/image_sheet.h"
#include "evaluate/evaluation.h"
#include "evaluate/explain.h"
#include "model_file/model_file.h"

namespace spotter {

struct Example {
  int64_t index = 0;  // in the data set
  int32_t truth = 0;
  int32_t prediction = 0;
  std::vector<std::pair<size_t, double>> top;  // the most probable classes with their probabilities
  int tile = 0;                                // in Gallery::images
  int heat_tile = -1;                          // in Gallery::heat; -1: it has none
};

struct Gallery {
  std::vector<Example> examples;
  std::vector<size_t> mistakes;  // into examples: the most confident wrong ones, the most confident first
  std::vector<size_t> unsure;    // the least confident right ones, the least confident first
  int tile_height = 0;
  int tile_width = 0;
  Picture images;  // the sheet; `columns` tiles a row
  Picture
      heat;  // the same pictures under the heat of what spoke for the prediction; empty when the network has no conv
  int columns = 0;
};

/// How many images of each list are shown.
inline constexpr size_t kListed = 24;

/// `indices`: the images that were evaluated. The two lists, then images of every cell of the confusion matrix in turn,
/// the most confident first, as many as fit into about 2.5 million pixels. Large images are shown at a side of 64. The
/// heat maps are of the lists' images.
Gallery MakeGallery(const Model& model, const Dataset& data, std::span<const int64_t> indices,
                    const Evaluation& evaluation, const Compute& compute);

}  // namespace spotter
