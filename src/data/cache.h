// SPDX-License-Identifier: Apache-2.0
// Decoded data sets on disk, so that a second start reads one file instead of decoding every image again.
//
// A file is found by its key: a hash of what was read (or of how it lies on disk, where reading it would take long) and
// of the options that change the pixels. It is not the fingerprint, which tells data sets apart by what is in them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset.h"

namespace spotter {

/// Part of every key. Raise it when the file's format changes, or when images would decode to other pixels.
inline constexpr int kCacheVersion = 2;

/// What all cache files together may take of the disk. The next that is written removes those that were used least
/// recently.
inline constexpr int64_t kMostCacheBytes = 4'000'000'000;

/// CacheFolder()/decoded/KEY.spotter-images
std::filesystem::path CachePath(const std::string& key);

/// The data set, all but its `source` and `located`; nothing where there is no such file, or where it is not exactly
/// what was written: every byte is covered by a hash. It is read, not mapped: whatever happens to the file later can't
/// hurt. The file then counts as used just now.
std::optional<Dataset> ReadCache(const std::string& key, int threads);

/// Writes it atomically, and removes what killed processes left half written an hour ago or before. Then removes the
/// least recently used files, but not this one, while all together take more than `most_bytes`. Throws Error(kIo) when
/// this one can't be written.
void WriteCache(const std::string& key, const Dataset& data, int threads, int64_t most_bytes = kMostCacheBytes);

}  // namespace spotter
