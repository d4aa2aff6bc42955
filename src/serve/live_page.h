// SPDX-License-Identifier: Apache-2.0
// The run's page while it trains: a server on 127.0.0.1 whose page renews itself and ends as the report.
#pragma once

#include <memory>
#include <string>

#include "page/report_input.h"
#include "report/run_folder.h"
#include "train/trainer.h"

namespace spotter {

class LivePage : public TrainObserver {
 public:
  /// Serves on this port of 127.0.0.1 (0: any that is free). Data, splits and settings must outlive it; of the network
  /// only the layers are taken. Throws Error(kUsage) when the port is taken.
  LivePage(int port, const Dataset& data, const Splits& splits, const TrainSettings& settings, const Network& network,
           const Preprocessing& preprocessing);
  ~LivePage() override;

  std::string url() const;

  void SetRun(const RunFolder& run);  // before it begins; must outlive the page

  void OnBegin() override;
  void OnStep(const StepReport& report) override;
  void OnEpoch(const TrainState& state, bool best_so_far) override;

  void Say(const std::string& text);  // in place of the line of progress

  /// From now on the page is this report, under this line. Waits until a page that is open has it, at most a few
  /// seconds.
  void Finish(const ReportInput& input, const std::string& line);

 private:
  class Content;
  const RunFolder* run_ = nullptr;
  std::unique_ptr<Content> content_;
};

}  // namespace spotter
