// SPDX-License-Identifier: Apache-2.0
// Looks up data sets by name: $SPOTTER_DATA, the cache, the system's folders, and then the network.
#include "data/find.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/catalog.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::optional<fs::path> FirstInside(const fs::path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (Exists(folder / name)) return folder / name;
  }
  return std::nullopt;
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// $SPOTTER_DATA: a folder that holds the data set under one of its names; or the data set itself, known by
/// its name, or a file whose name no other data set has.
std::optional<fs::path> FindInVariable(const CatalogEntry& entry) {
  const char* variable = std::getenv("SPOTTER_DATA");
  if (variable == nullptr || *variable == '\0') return std::nullopt;
  fs::path given = variable;
  if (!Exists(given)) {
    Fail(ExitCode::kIo,
         "SPOTTER_DATA names '{}', which does not exist; set it to a folder with data sets, or unset it",
         Printable(given.string()));
  }
  if (const auto inside = FirstInside(given, entry.local_names)) return inside;
  if (!given.has_filename()) given = given.parent_path();  // a final '/'
  const std::string name = given.filename().string();
  if (Contains(entry.local_names, name)) return given;
  const bool other = std::any_of(Catalog().begin(), Catalog().end(),
                                 [&](const CatalogEntry& one) { return Contains(one.local_names, name); });
  if (!other && fs::is_regular_file(given)) return given;
  return std::nullopt;
}

fs::path DownloadFolder(const CatalogEntry& entry) { return CacheFolder() / "datasets" / entry.name; }

/// Where a whole download lies: its one file, or the folder of its files.
fs::path Downloaded(const CatalogEntry& entry) {
  return entry.downloads.size() == 1 ? DownloadFolder(entry) / entry.downloads[0].file_name
                                     : DownloadFolder(entry);
}

std::optional<fs::path> FindOnDisk(const CatalogEntry& entry) {
  if (const auto found = FindInVariable(entry)) return found;
  const bool whole = std::all_of(
      entry.downloads.begin(), entry.downloads.end(),
      [&](const Download& download) { return Exists(DownloadFolder(entry) / download.file_name); });
  if (whole) return Downloaded(entry);
  if (const auto found = FirstInside(DownloadFolder(entry), entry.local_names)) return found;
  for (const std::string& folder : entry.system_folders) {
    if (const auto found = FirstInside(folder, entry.local_names)) return found;
  }
  return std::nullopt;
}

}  // namespace

fs::path FindData(const std::string& data, const LoadProgress& progress) {
  if (const CatalogEntry* entry = FindInCatalog(data)) {
    if (const auto found = FindOnDisk(*entry)) return *found;
    try {
      for (const Download& download : entry->downloads) FetchFile(download, DownloadFolder(*entry), progress);
    } catch (const Error& error) {
      Fail(error.code(), "{}; or set SPOTTER_DATA to a folder that holds {}", error.what(),
           entry->local_names.front());
    }
    return Downloaded(*entry);
  }
  if (data.empty() || !Exists(data)) {
    std::vector<std::string> names;
    for (const CatalogEntry& entry : Catalog()) names.push_back(entry.name);
    Fail(ExitCode::kUsage,
         "'{}' is neither a file or folder nor a known data set{}; expected a path or one of: {}",
         Printable(data), DidYouMean(data, names), Join(names, ", "));
  }
  return data;
}

}  // namespace spotter
