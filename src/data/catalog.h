// SPDX-License-Identifier: Apache-2.0
// The data sets that Spotter knows by name: one visible list. To add one, add an entry in catalog.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/download.h"

namespace spotter {

struct CatalogEntry {
  std::string name;                         // what the user types
  std::string description;                  // one line
  std::vector<std::string> local_names;     // files and folders that hold it, tried in order in $SPOTTER_DATA,
                                            // the cache, system_folders
  std::vector<std::string> system_folders;  // where a distribution's package puts it
  std::vector<Download> downloads;          // all needed; fetched into CacheFolder()/datasets/NAME
};

const std::vector<CatalogEntry>& Catalog();
const CatalogEntry* FindInCatalog(const std::string& name);  // nullptr when unknown

}  // namespace spotter
