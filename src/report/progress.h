// SPDX-License-Identifier: Apache-2.0
// How a run looks while it runs: one line that renews itself on a terminal, plain lines elsewhere, JSON lines
// for programs.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "train/trainer.h"

namespace spotter {

enum class ProgressStyle { kAuto, kJson, kQuiet };

/// kAuto writes to stderr: a renewed line where it is a terminal, else a line an epoch and one every ten
/// seconds between. kJson writes {"event": "step" | "epoch" | "note", ...} lines to stdout. kQuiet writes
/// only notes, to stderr.
std::unique_ptr<TrainObserver> MakeProgress(ProgressStyle style);

/// Where a run is, in one line.
std::string ProgressText(const StepReport& report);

/// A line about other work (loading, downloading, evaluating): after a second renewed on a terminal, every ten seconds
/// elsewhere.
class ActivityLine {
 public:
  explicit ActivityLine(bool quiet = false);
  ~ActivityLine();  // clears the line
  void Update(const std::string& what, int64_t done, int64_t total);

 private:
  bool quiet_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace spotter
