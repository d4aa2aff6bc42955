// SPDX-License-Identifier: Apache-2.0
// From what a user types for DATA to a file or folder that exists.
#pragma once

#include <filesystem>
#include <string>

#include "base/progress.h"
#include "data/catalog.h"

namespace spotter {

struct FoundData {
  std::filesystem::path path;
  /// The data set whose files an earlier download (or a user, by hand) has put there; nullptr for all else. Their sizes
  /// are right, their content has not been looked at.
  const CatalogEntry* downloaded = nullptr;
};

/// A name from the catalog goes before a file of that name; write ./NAME for the file. A name is looked for in
/// $SPOTTER_DATA (a folder that holds it under one of CatalogEntry::local_names, or the path of one of these), among
/// earlier downloads, in the system's folders, and is downloaded last. Throws Error(kUsage) for neither a name nor a
/// path, Error(kIo) when a name can't be had, when an earlier download has a wrong size, and for a SPOTTER_DATA that
/// does not exist or names a file that is none of the known ones.
FoundData FindData(const std::string& data, const Progress& progress);

/// Reads what was downloaded earlier and compares its checksums; does nothing for other data. Throws Error(kIo) that
/// names the file.
void VerifyDownload(const FoundData& found, const Progress& progress);

}  // namespace spotter
