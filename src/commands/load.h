// SPDX-License-Identifier: Apache-2.0
// What several commands do alike with DATA: read it with a line of progress, name it for later, match its classes.
#pragma once

#include <string>

#include "data/dataset.h"
#include "data/load.h"

namespace spotter {

/// LoadDataset with an ActivityLine on stderr, also where stdout is JSON; `quiet` leaves it out. Warnings are told in
/// any case.
Dataset LoadWithProgress(const std::string& data, const LoadOptions& options, bool quiet = false);

/// DATA as a later command, run from elsewhere, finds it again: a path becomes absolute, a name of the catalog (which
/// goes before a file of that name, see data/find.h) stays.
std::string LastingName(const std::string& data);

/// The data that a run was made with must still be there. Throws Error(kData) that says how to name its new place:
/// `how`, as in "spotter evaluate RUN DATA".
void CheckNotMoved(const std::string& data, const std::string& how);

/// Says in one line on stderr that files were skipped, where any were.
void NoteSkipped(const Dataset& data);

/// Labels of the data set as places in `classes` (a model's), matched by name. Throws Error(kData) for a
/// class that it lacks.
void MatchClasses(Dataset& data, const std::vector<std::string>& classes);

}  // namespace spotter
