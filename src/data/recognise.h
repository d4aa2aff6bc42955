// SPDX-License-Identifier: Apache-2.0
// The layouts of data sets that can be read, and how one is told from another: by the names of the files inside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/tree.h"

namespace spotter {

enum class Layout { kImageFolder, kCifarBinary, kCifarPython, kIdx };
std::string_view LayoutName(Layout layout);  // as in Dataset::layout

struct Recognised {
  Layout layout = Layout::kImageFolder;
  std::string folder;  // where in the tree it lies: "" or a path with a final '/'
};

/// Goes by the names of the files inside, since the official layouts fix these; what is not one of those is taken for
/// an image folder. Throws Error(kData) when the tree holds two data sets.
Recognised Recognise(const FileTree& tree);

/// The files that one of the official layouts consists of, as indices into tree.files(); none for an image folder.
std::vector<size_t> OfficialFiles(const FileTree& tree, const Recognised& recognised);

/// The name of an IDX file: "train-images-idx3-ubyte", and the same with labels-idx1, with t10k or test in place of
/// train, with dots for dashes, packed (.gz), and after any prefix: "emnist-letters-train-images-idx3-ubyte.gz".
struct IdxName {
  bool valid = false;
  std::string prefix;  // in lower case, without the dash or dot that ends it
  bool train = false;
  bool images = false;
  bool gzip = false;
};
IdxName ParseIdxName(std::string_view base_name);

}  // namespace spotter
