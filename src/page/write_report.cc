// SPDX-License-Identifier: Apache-2.0
#include "page/write_report.h"

#include "base/error.h"
#include "base/files.h"
#include "page/page.h"
#include "page/pictures.h"

namespace spotter {

std::pair<std::string, std::vector<int64_t>> ImagesToEvaluate(const Splits& splits) {
  if (!splits.test.empty()) return {"test", splits.test};
  if (!splits.validation.empty()) return {"validation", splits.validation};
  return {"train", splits.train};
}

Results EvaluateFinished(const Model& model, const Dataset& data, const Splits& splits, const Compute& compute) {
  Results results;
  std::tie(results.split, results.indices) = ImagesToEvaluate(splits);
  results.evaluation = Evaluate(model, data, results.indices, compute);
  return results;
}

void WriteReport(const RunFolder& run, const ReportInput& input) {
  WriteFileAtomically(run.path() / "report.html", RenderPage(input));
  WritePictures(run.path() / "pictures", input);
}

void WritePage(const std::filesystem::path& path, const std::string& page) {
  constexpr const char* kOurs = "<meta name=\"generator\" content=\"Spotter\">";
  if (PathExists(path) && (!IsFile(path) || ReadFile(path).find(kOurs) == std::string::npos)) {
    Fail(ExitCode::kUsage, "'{}' exists already and is no report of Spotter's; give another --output", path.string());
  }
  WriteFileAtomically(path, page);
}

}  // namespace spotter
