// SPDX-License-Identifier: Apache-2.0
// Decoded data sets on disk, so that a second start reads one file instead of decoding every image again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset.h"

namespace spotter {

/// Part of every fingerprint. Raise it when the file's format changes, or when images would decode to other
/// pixels.
inline constexpr int kCacheVersion = 1;

/// CacheFolder()/decoded/FINGERPRINT.spotter-images
std::filesystem::path CachePath(const std::string& fingerprint);

/// The data set, all but its `source`; nothing where there is no such file, or where it is not exactly what
/// was written: every byte is covered by a hash. It is read, not mapped: whatever happens to the file later
/// can't hurt.
std::optional<Dataset> ReadCache(const std::filesystem::path& path, const std::string& fingerprint,
                                 int threads);

/// Writes it atomically. Throws Error(kIo).
void WriteCache(const std::filesystem::path& path, const Dataset& data, int threads);

}  // namespace spotter
