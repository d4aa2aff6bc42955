// SPDX-License-Identifier: Apache-2.0
// From what a user types for DATA to a file or folder that exists.
#pragma once

#include <filesystem>
#include <string>

#include "data/load.h"

namespace spotter {

/// A name from the catalog goes before a file of that name; write ./NAME for the file. A name is looked for
/// in $SPOTTER_DATA (a folder that holds it, or its own path), among earlier downloads, in the system's
/// folders, and is downloaded last. Throws Error(kUsage) for neither a name nor a path, Error(kIo) when a
/// name can't be had.
std::filesystem::path FindData(const std::string& data, const LoadProgress& progress);

}  // namespace spotter
