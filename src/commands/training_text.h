// SPDX-License-Identifier: Apache-2.0
// What a training run tells its user when it begins and when it has finished.
#pragma once

#include "commands/training_run.h"
#include "page/report_input.h"
#include "report/run_folder.h"
#include "train/trainer.h"

namespace spotter {

/// Images, network, machine, folder, on stderr.
void PrintPlan(const TrainJob& job, const RunFolder& run);

/// What the model is worth, where everything is, what to do next; a JSON line where that is asked for.
void PrintResult(const TrainingRequest& request, const RunFolder& run, const TrainOutcome& outcome,
                 const Results& results, const std::vector<std::string>& classes);

/// Writes profile.txt and run.json's "profile", and prints it. Measures the machine's peak for that.
void ShowProfile(const TrainingRequest& request, const RunFolder& run, const Compute& compute, const Profile& profile);

}  // namespace spotter
