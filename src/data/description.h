// SPDX-License-Identifier: Apache-2.0
// All of a data set but its pixels, as bytes: what a cache file begins with, and what a fingerprint is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace spotter {

inline constexpr int64_t kPixelPiece = 1 << 20;

/// XXH3 of each piece of kPixelPiece bytes of the pixels (the last may be shorter): several cores share the work.
std::vector<std::string> HashPixels(const Dataset& data, int threads);

/// Dataset::fingerprint. Saved runs hold it: a change here makes their data look changed.
std::string Fingerprint(const Dataset& data, const std::vector<std::string>& pixel_hashes);

struct Description {
  std::string key;  // of the cache file
  Dataset data;     // without pixels, source and located
  std::vector<std::string> pixel_hashes;
};
std::string Describe(const std::string& key, const Dataset& data, const std::vector<std::string>& pixel_hashes);

/// Nothing where the bytes don't hold together, or describe what no data set is: a label without a class, an unknown
/// part, an impossible shape. The pixels can then be as many as the numbers say without an overflow.
std::optional<Description> Understand(std::string_view bytes);

/// XXH3 of some bytes, as FastHash.
std::string HashOf(std::string_view bytes);

}  // namespace spotter
