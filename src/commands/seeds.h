// SPDX-License-Identifier: Apache-2.0
// One recipe trained with several seeds, for an accuracy with its spread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "commands/training_run.h"

namespace spotter {

/// A series' folder holds seed-0/, seed-1/ ... (runs), recipe.toml, seeds.json (what was asked for, and when all have
/// finished mean, standard deviation and t-interval of the accuracy) and report.html (the runs compared).
bool IsSeries(const std::filesystem::path& folder);

/// Trains request.settings with `seeds` seeds, from settings.seed on. `open` makes the series' folder; it is called
/// when the first run is known to begin. Returns the exit code: 0, or that of the run that a signal stopped.
int TrainSeeds(const TrainingRequest& request, int64_t seeds, const std::function<std::filesystem::path()>& open);

/// Goes on with the runs that have not finished. `data`: where the data lies now, "" for where it lay.
int ResumeSeeds(const std::filesystem::path& folder, const std::string& data, bool json, bool quiet);

}  // namespace spotter
