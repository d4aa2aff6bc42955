// SPDX-License-Identifier: Apache-2.0
// The reader of each layout, and what the readers share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/load.h"
#include "data/tree.h"

namespace spotter {

/// The readers. They leave source, located, layout and fingerprint empty. `folder` is where in the tree the files lie.
/// They call `progress` from several threads at once. All throw Error(kData), and what FileTree::ReadEach throws.
Dataset ReadImageFolder(FileTree* tree, const LoadOptions& options, const Progress& progress);
Dataset ReadCifarBinary(FileTree* tree, const std::string& folder, const LoadOptions& options,
                        const Progress& progress);
Dataset ReadCifarPython(FileTree* tree, const std::string& folder, const LoadOptions& options,
                        const Progress& progress);
Dataset ReadIdx(FileTree* tree, const std::string& folder, const LoadOptions& options, const Progress& progress);

/// Room for the pixels of `count` images. Throws Error(kData) when that is more memory than the machine has, or than
/// its container may use.
std::shared_ptr<uint8_t[]> AllocatePixels(int64_t count, const ImageShape& shape);

/// The shape that images get: the rules at LoadOptions::shape and image_size. `alike`: all have the shape `stored`.
ImageShape ChooseShape(const ImageShape& stored, bool alike, const LoadOptions& options);

/// Sets data->shape, pixels and resized from images that are stored as (N, H, W, C) in `stored`, resampled where asked.
void SetPixels(std::shared_ptr<uint8_t[]> pixels, const ImageShape& stored, const LoadOptions& options,
               const Progress& progress, Dataset* data);

/// The content of each of the named files, in that order. Throws Error(kData) naming all that are missing, or the first
/// that can't be read or is larger than `most_bytes`.
std::vector<std::string> ReadNamed(FileTree* tree, const std::vector<std::string>& names, int64_t most_bytes,
                                   int threads, const Progress& progress);

/// Error(kData) about one of the data set's own files, which its user can't mend but only get again.
[[noreturn]] void FailFile(const FileTree& tree, const std::string& name, std::string_view reason);

}  // namespace spotter
