// SPDX-License-Identifier: Apache-2.0
// Results as text for a terminal and as CSV.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "evaluate/evaluation.h"
#include "train/history.h"

namespace spotter {

/// "72.4 %"
std::string Percent(double fraction);

/// Accuracy with its interval, the per-class table and the confusion matrix (rows: truth, columns:
/// prediction).
std::string MetricsText(const Metrics& metrics, const std::vector<std::string>& classes);

/// The same, and a line about the calibration.
std::string EvaluationText(const Evaluation& evaluation, const std::vector<std::string>& classes);

/// class,precision,recall,f1,support, a line a class, then macro and weighted.
std::string PerClassCsv(const Metrics& metrics, const std::vector<std::string>& classes);

/// The confusion matrix with class names in the first row and column; rows are the truth.
std::string ConfusionCsv(const Metrics& metrics, const std::vector<std::string>& classes);

/// One line an epoch, named as the fields of EpochRecord.
std::string HistoryCsv(const std::vector<EpochRecord>& history);

/// file,label,prediction,probability (9 digits),correct for the images that were evaluated.
std::string PredictionsCsv(const Dataset& data, const std::vector<std::string>& model_classes,
                           const std::vector<int64_t>& indices, const Evaluation& evaluation);

/// What `spotter data` says: classes with their numbers of images in each split, shape, source, skipped
/// files.
std::string DatasetText(const Dataset& data, const Splits& splits);
Json DatasetJson(const Dataset& data, const Splits& splits);

}  // namespace spotter
