// SPDX-License-Identifier: Apache-2.0
// What several commands do alike: read a data set with a line of progress, find a run's own data.
#pragma once

#include <string>

#include "data/dataset.h"
#include "data/load.h"

namespace spotter {

/// LoadDataset with an ActivityLine on stderr; `quiet` leaves it out. Warnings are told in any case.
Dataset LoadWithProgress(const std::string& data, const LoadOptions& options, bool quiet);

/// Says in one line on stderr that files were skipped, where any were.
void NoteSkipped(const Dataset& data);

/// Labels of the data set as places in `classes` (a model's), matched by name. Throws Error(kData) for a
/// class that it lacks.
void MatchClasses(Dataset& data, const std::vector<std::string>& classes);

}  // namespace spotter
