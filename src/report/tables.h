// SPDX-License-Identifier: Apache-2.0
// Results as text for a terminal and as CSV.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "evaluate/metrics.h"
#include "train/history.h"

namespace spotter {

/// "72.4 %"
std::string Percent(double fraction);

/// Accuracy with its interval, the per-class table and the confusion matrix (rows: truth, columns:
/// prediction).
std::string MetricsText(const Metrics& metrics, const std::vector<std::string>& classes);

/// class,precision,recall,f1,support, a line a class, then macro and weighted.
std::string PerClassCsv(const Metrics& metrics, const std::vector<std::string>& classes);

/// The confusion matrix with class names in the first row and column; rows are the truth.
std::string ConfusionCsv(const Metrics& metrics, const std::vector<std::string>& classes);

/// One line an epoch, named as the fields of EpochRecord.
std::string HistoryCsv(const std::vector<EpochRecord>& history);

/// file,label,prediction,probability,correct for images of a data set; logits (indices.size(), classes).
std::string PredictionsCsv(const Dataset& data, const std::vector<std::string>& model_classes,
                           const std::vector<int64_t>& indices, const std::vector<int32_t>& labels,
                           const std::vector<float>& logits);

/// What `spotter data` says: classes with their numbers of images in each split, shape, source, skipped
/// files.
std::string DatasetText(const Dataset& data, const Splits& splits);
Json DatasetJson(const Dataset& data, const Splits& splits);

}  // namespace spotter
