// SPDX-License-Identifier: Apache-2.0
// From what a user types for DATA to a Dataset in memory: look up, recognise, decode, cache.
#pragma once

#include <string>

#include "base/progress.h"
#include "data/dataset.h"
#include "data/image.h"

namespace spotter {

struct LoadOptions {
  int image_size = 0;     // side of the square that images become. 0: their own size where all are alike and at
                          // most 64 x 64, else 64 x 64
  ImageShape shape = {};  // when its height is not 0: exactly this shape and number of channels (a model's),
                          // whatever image_size says
  ResizePolicy resize = ResizePolicy::kStretch;
  bool strict = false;  // an unreadable image is an error rather than skipped
  bool use_cache = true;
  int threads = 0;  // 0: one a core
};

/// Loads a data set. `data` is a name from data/catalog.h or a path: an image folder, a .tar/.tar.gz/.tgz/.zip archive
/// of one, a CIFAR-10 binary or python archive or its unpacked folder, a folder of IDX files (plain or .gz). The layout
/// is recognised by what the files inside are and are called, never by the path that leads to them.
///
/// Decoded images are kept in the cache (data/cache.h), under a key of what was read: the content of an archive or of
/// official files; of an image folder the names, sizes and times of its files, as reading them all would take as long
/// as decoding. A damaged or older cache file is made anew, never an error; a cache that can't be written costs only a
/// warning through `progress`. An archive that changes while it is read is not kept.
///
/// `progress` is told at most ten times a second, from the calling thread. Throws Error(kData) for anything wrong with
/// the data, Error(kIo) for files and downloads, Error(kUsage) for a name that is neither known nor a path.
Dataset LoadDataset(const std::string& data, const LoadOptions& options, const Progress& progress = {});

}  // namespace spotter
