// SPDX-License-Identifier: Apache-2.0
#include "commands/load.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "data/catalog.h"
#include "report/progress.h"

namespace spotter {

Dataset LoadWithProgress(const std::string& data, const LoadOptions& options, bool quiet) {
  std::string warning;
  Dataset loaded;
  {
    ActivityLine line(quiet);
    loaded = LoadDataset(data, options, [&](const std::string& what, int64_t done, int64_t total) {
      if (what.starts_with("warning: "))
        warning = what;
      else
        line.Update(what, done, total);
    });
  }
  if (!warning.empty()) std::fprintf(stderr, "%s\n", Printable(warning).c_str());
  return loaded;
}

std::string LastingName(const std::string& data) {
  if (FindInCatalog(data) != nullptr) return data;
  return std::filesystem::absolute(data).lexically_normal().string();
}

void CheckNotMoved(const std::string& data, const std::string& how) {
  std::error_code ignored;
  if (FindInCatalog(data) != nullptr || std::filesystem::exists(data, ignored)) return;
  Fail(ExitCode::kData, "the run's data, '{}', is not there any more; say where it is now: {}", Printable(data), how);
}

void NoteSkipped(const Dataset& data) {
  if (data.skipped.empty()) return;
  const SkippedFile& first = data.skipped.front();
  const std::string which = fmt::format("'{}' ({})", Printable(first.name), Printable(first.reason));
  const std::string what = data.skipped.size() == 1
                               ? "1 file was skipped: " + which
                               : fmt::format("{} files were skipped, the first is {}; `spotter data` lists them",
                                             data.skipped.size(), which);
  std::fprintf(stderr, "note: %s; --strict refuses such data\n", what.c_str());
}

void MatchClasses(Dataset& data, const std::vector<std::string>& classes) {
  std::vector<int32_t> place;
  for (const std::string& name : data.classes) {
    const auto found = std::find(classes.begin(), classes.end(), ValidUtf8(name));
    if (found == classes.end()) {
      Fail(ExitCode::kData, "the data has a class '{}' that the model does not know; its classes are {}",
           Printable(name), Join(classes, ", "));
    }
    place.push_back(static_cast<int32_t>(found - classes.begin()));
  }
  for (int32_t& label : data.labels) label = place[static_cast<size_t>(label)];
  data.classes = classes;
}

}  // namespace spotter
