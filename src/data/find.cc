// SPDX-License-Identifier: Apache-2.0
// Looks up data sets by name: $SPOTTER_DATA, the cache, the system's folders, and then the network.
#include "data/find.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

/// For places that Spotter looks at of its own accord: what can't be looked at is not there.
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

/// $SPOTTER_DATA, without a final '/'; empty when it is not set.
fs::path DataVariable() {
  const char* variable = std::getenv("SPOTTER_DATA");
  const fs::path path = variable != nullptr ? variable : "";
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

/// A folder may lack the data set, and the file of another data set may be named; but a file of some other name is a
/// mistake that would otherwise look like a download.
std::optional<fs::path> FindInVariable(const CatalogEntry& entry) {
  const fs::path given = DataVariable();
  if (given.empty()) return std::nullopt;
  if (!PathExists(given)) {
    Fail(ExitCode::kIo, "SPOTTER_DATA names '{}', which does not exist; set it to a folder with data sets, or unset it",
         Printable(given.string()));
  }
  if (const auto inside = FirstInside(given, entry.local_names)) return inside;
  const std::string name = given.filename().string();
  if (Contains(entry.local_names, name)) return given;
  std::error_code ignored;
  const bool known = std::any_of(Catalog().begin(), Catalog().end(),
                                 [&](const CatalogEntry& other) { return Contains(other.local_names, name); });
  if (known || fs::is_directory(given, ignored)) return std::nullopt;
  Fail(ExitCode::kIo,
       "SPOTTER_DATA names the file '{}', which is not known as {}; expected a folder with data sets, or one of the "
       "names {}; to read this file, give its path in place of '{}'",
       Printable(given.string()), entry.name, Join(entry.local_names, ", "), entry.name);
}

fs::path DownloadFolder(const CatalogEntry& entry) { return CacheFolder() / "datasets" / entry.name; }

/// Where a whole download lies: its one file, or the folder of its files.
fs::path Downloaded(const CatalogEntry& entry) {
  return entry.downloads.size() == 1 ? DownloadFolder(entry) / entry.downloads[0].file_name : DownloadFolder(entry);
}

std::optional<FoundData> FindOnDisk(const CatalogEntry& entry) {
  if (const auto found = FindInVariable(entry)) return FoundData{*found};
  const auto is_there = [&](const Download& download) { return Exists(DownloadFolder(entry) / download.file_name); };
  if (std::all_of(entry.downloads.begin(), entry.downloads.end(), is_there)) {
    for (const Download& download : entry.downloads) VerifySize(download, DownloadFolder(entry) / download.file_name);
    return FoundData{Downloaded(entry), &entry};
  }
  std::vector<fs::path> folders = {DownloadFolder(entry)};
  folders.insert(folders.end(), entry.system_folders.begin(), entry.system_folders.end());
  for (const fs::path& folder : folders) {
    if (const auto found = FirstInside(folder, entry.local_names)) return FoundData{*found};
  }
  return std::nullopt;
}

FoundData FetchAll(const CatalogEntry& entry, const Progress& progress) {
  try {
    for (const Download& download : entry.downloads) FetchFile(download, DownloadFolder(entry), progress);
  } catch (const Error& error) {
    const fs::path given = DataVariable();
    if (given.empty()) {
      Fail(error.code(), "{}; or set SPOTTER_DATA to a folder that holds {}", error.what(), entry.local_names.front());
    }
    Fail(error.code(), "{}; SPOTTER_DATA, '{}', was looked at first and holds none of {}", error.what(),
         Printable(given.string()), Join(entry.local_names, ", "));
  }
  return {Downloaded(entry)};
}

}  // namespace

FoundData FindData(const std::string& data, const Progress& progress) {
  if (const CatalogEntry* entry = FindInCatalog(data)) {
    const auto found = FindOnDisk(*entry);
    return found ? *found : FetchAll(*entry, progress);
  }
  if (data.empty() || !PathExists(data)) {
    std::vector<std::string> names;
    for (const CatalogEntry& entry : Catalog()) names.push_back(entry.name);
    Fail(ExitCode::kUsage, "'{}' is neither a file or folder nor a known data set{}; expected a path or one of: {}",
         Printable(data), DidYouMean(data, names), Join(names, ", "));
  }
  return {data};
}

void VerifyDownload(const FoundData& found, const Progress& progress) {
  if (found.downloaded == nullptr) return;
  for (const Download& download : found.downloaded->downloads) {
    VerifyFile(download, DownloadFolder(*found.downloaded) / download.file_name, progress);
  }
}

}  // namespace spotter
