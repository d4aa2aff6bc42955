// SPDX-License-Identifier: Apache-2.0
#include "commands/load.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "report/progress.h"

namespace spotter {

Dataset LoadWithProgress(const std::string& data, const LoadOptions& options, bool quiet) {
  Dataset loaded;
  {
    ActivityLine line(quiet);
    loaded = LoadDataset(data, options, [&](const std::string& what, int64_t done, int64_t total) { line.Update(what, done, total); });
  }
  if (!loaded.skipped.empty()) {
    const SkippedFile& first = loaded.skipped.front();
    std::fprintf(stderr, "note: %zu unreadable files were skipped, the first is '%s' (%s); `spotter data` lists them, --strict refuses them\n",
                 loaded.skipped.size(), Printable(first.name).c_str(), first.reason.c_str());
  }
  return loaded;
}

void MatchClasses(Dataset& data, const std::vector<std::string>& classes) {
  std::vector<int32_t> place;
  for (const std::string& name : data.classes) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end()) {
      Fail(ExitCode::kData, "the data has a class '{}' that the model does not know; its classes are {}", name, Join(classes, ", "));
    }
    place.push_back(static_cast<int32_t>(found - classes.begin()));
  }
  for (int32_t& label : data.labels) label = place[static_cast<size_t>(label)];
  data.classes = classes;
}

}  // namespace spotter
