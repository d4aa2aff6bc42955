// SPDX-License-Identifier: Apache-2.0
// The layouts of data sets that can be read, how one is recognised, and the reader of each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/load.h"
#include "data/tree.h"

namespace spotter {

enum class Layout { kImageFolder, kCifarBinary, kCifarPython, kIdx };
std::string_view LayoutName(Layout layout);  // as in Dataset::layout

struct Recognised {
  Layout layout = Layout::kImageFolder;
  std::string folder;  // where in the tree it lies: "" or a path with a final '/'
};

/// Goes by the names of the files inside, since the official layouts fix these; what is not one of those is
/// taken for an image folder. Throws Error(kData) when the tree holds two data sets.
Recognised Recognise(const FileTree& tree);

/// The files that one of the official layouts consists of, as indices into tree.files(); none for an image
/// folder.
std::vector<size_t> OfficialFiles(const FileTree& tree, const Recognised& recognised);

/// "train-images-idx3-ubyte.gz" -> {train, images}; also with a dot before idx, and without .gz.
struct IdxName {
  bool valid = false;
  bool train = false;
  bool images = false;
  bool gzip = false;
};
IdxName ParseIdxName(std::string_view base_name);

/// The readers. They leave source and fingerprint empty. All throw Error(kData).
Dataset ReadImageFolder(FileTree* tree, const LoadOptions& options, const LoadProgress& progress);
Dataset ReadCifarBinary(FileTree* tree, const std::string& folder, const LoadOptions& options);
Dataset ReadCifarPython(FileTree* tree, const std::string& folder, const LoadOptions& options);
Dataset ReadIdx(FileTree* tree, const std::string& folder, const LoadOptions& options);

/// What the readers share.

/// Room for the pixels of `count` images. Throws Error(kData) when that is more memory than the machine has.
std::shared_ptr<uint8_t[]> AllocatePixels(int64_t count, const ImageShape& shape);

/// The shape that images get: the rules at LoadOptions::shape and image_size. `alike`: all have the shape
/// `stored`.
ImageShape ChooseShape(const ImageShape& stored, bool alike, const LoadOptions& options);

/// Sets data->shape and data->pixels from images that are stored as (N, H, W, C) in `stored`, resampled where
/// asked.
void SetPixels(std::shared_ptr<uint8_t[]> pixels, const ImageShape& stored, const LoadOptions& options,
               Dataset* data);

/// The content of each of the named files, in that order. Throws Error(kData) naming all that are missing.
std::vector<std::string> ReadNamed(FileTree* tree, const std::vector<std::string>& names, int threads);

}  // namespace spotter
