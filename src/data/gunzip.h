// SPDX-License-Identifier: Apache-2.0
// Unpacks a gzip file that is in memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spotter {

/// Throws Error(kData) with the reason alone: damaged (its checksum is verified), cut short, larger than
/// `most` bytes.
std::string Gunzip(std::string_view packed, size_t most);

}  // namespace spotter
