// SPDX-License-Identifier: Apache-2.0
// What the folders of an image folder mean: which are parts, which are classes, and which images are samples.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/tree.h"

namespace spotter {

struct FolderSample {
  size_t file = 0;  // in tree.files()
  Part part = Part::kNone;
  int32_t label = 0;
  std::string name;  // path from the folder that holds the parts or classes
};

struct FolderPlan {
  std::vector<std::string> classes;   // in byte order
  std::vector<FolderSample> samples;  // by part, class, name
  std::vector<SkippedFile> skipped;   // by name
  bool for_training = false;          // it has images to learn from: a part 'train', or no parts at all
};

/// Works out the plan from the names and from what each file is.
/// - One folder around all others is looked through.
/// - Parts: train or training; val, valid or validation; test; in any case of letters, with class folders inside.
/// - Otherwise every folder is a class. Images in folders inside a class belong to that class.
/// - Single images beside class folders or parts are skipped, and so are folders beside the parts, unless they hold the
///   same class folders as these: then it is an error.
/// - One class, or a test part alone, is enough here: a model can be evaluated on it. MakeSplits wants more.
/// Throws Error(kData): no images, images without class folders, a class without images, a class that the training part
/// lacks.
FolderPlan PlanImageFolder(const FileTree& tree, const std::vector<ImagePeek>& peeks);

}  // namespace spotter
