// SPDX-License-Identifier: Apache-2.0
#include "commands/run_data.h"

#include "base/error.h"
#include "base/text.h"
#include "commands/load.h"

namespace spotter {

RunData LoadRunData(const RunFolder& run, const TrainSettings& settings, const std::string& elsewhere, int threads) {
  const Json record = run.ReadRun().value("data", Json::object());
  const std::string source = elsewhere.empty() ? record.value("source", "") : elsewhere;
  if (elsewhere.empty()) CheckNotMoved(source, "spotter report " + ShellWord(run.path().string()) + " --data DATA");
  RunData result;
  result.data = LoadWithProgress(source, ToLoadOptions(settings.data, threads));
  if (result.data.fingerprint != record.value("fingerprint", "")) {
    Fail(ExitCode::kData, "'{}' has changed since the run, so its images are not those that the run saw",
         Printable(source));
  }
  result.splits = MakeSplits(result.data, settings.data.validation_fraction, settings.data.test_fraction,
                             static_cast<uint64_t>(settings.seed));
  return result;
}

}  // namespace spotter
