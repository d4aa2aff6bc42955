// SPDX-License-Identifier: Apache-2.0
// From what a user types for DATA to a Dataset in memory: look up, recognise, decode, cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "data/dataset.h"
#include "data/image.h"

namespace spotter {

struct LoadOptions {
  int image_size = 0;  // side of the square that images become. 0: their own size where all are alike and at
                       // most 64 x 64, else 64 x 64
  ImageShape shape = {};  // when its height is not 0: exactly this shape and number of channels (a model's),
                          // whatever image_size says
  ResizePolicy resize = ResizePolicy::kStretch;
  bool strict = false;  // an unreadable image is an error rather than skipped
  bool use_cache = true;
  int threads = 0;  // 0: one a core
};

/// Told what is going on, at most ten times a second, from the calling thread. `total` is 0 when it is not
/// known.
using LoadProgress = std::function<void(const std::string& what, int64_t done, int64_t total)>;

/// Loads a data set. `data` is a name from data/catalog.h or a path: an image folder, a
/// .tar/.tar.gz/.tgz/.zip archive of one, a CIFAR-10 binary or python archive or its unpacked folder, a
/// folder of IDX files (plain or .gz). The layout is recognised from content, never from the path's name.
/// Decoded images are kept in CacheFolder()/decoded/FINGERPRINT.spotter-images, written atomically; a damaged
/// or older cache file is read anew, never an error; a cache that can't be written costs only a warning
/// through `progress`. Throws Error(kData) for anything wrong with the data, Error(kIo) for files and
/// downloads, Error(kUsage) for a name that is neither known nor a path.
Dataset LoadDataset(const std::string& data, const LoadOptions& options, const LoadProgress& progress = {});

}  // namespace spotter
