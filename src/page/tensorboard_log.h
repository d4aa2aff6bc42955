// SPDX-License-Identifier: Apache-2.0
// A run as TensorBoard shows it, named as Keras' callback names it: folders train, validation and test; epoch_loss,
// epoch_accuracy, epoch_learning_rate by epoch (counted from 0, as Keras does); at the end the pictures.
#pragma once

#include <filesystem>
#include <memory>

#include "page/report_input.h"
#include "tensorboard/event_file.h"

namespace spotter {

class TensorBoardLog {
 public:
  /// Writes below `folder`; files are made when there is something for them. What the earlier files of a resumed run
  /// hold from its first step now on is void.
  TensorBoardLog(std::filesystem::path folder, bool resumed);

  void AddEpoch(const EpochRecord& record);
  void AddResults(const ReportInput& input);

 private:
  EventFile& Writer(std::unique_ptr<EventFile>& file, const std::string& name, int64_t step);

  std::filesystem::path folder_;
  bool resumed_;
  std::unique_ptr<EventFile> train_, validation_, test_;
};

}  // namespace spotter
