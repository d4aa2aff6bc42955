// SPDX-License-Identifier: Apache-2.0
// The two ways to ask for predictions, each as a job: how its body is read, and how its answer is written.
#pragma once

#include <memory>
#include <string>

#include "serve/job.h"
#include "serve/model_shelf.h"

namespace spotter {

/// POST /api/predict. Throws api::Refusal for what the query asks.
void PreparePredict(Job& job, const ModelShelf& shelf);

/// POST /v2/models/M/infer; the job has its model.
void PrepareInfer(Job& job);

/// The model of this name (empty: the first) and version (empty: any). Throws api::Refusal(404).
std::shared_ptr<ServedModel> FindModel(const ModelShelf& shelf, const std::string& name,
                                       const std::string& version = "");

}  // namespace spotter
