// SPDX-License-Identifier: Apache-2.0
// spotter report: a run's page and pictures made anew, or several runs compared.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/flags.h"
#include "commands/run_data.h"
#include "page/comparison.h"
#include "page/page.h"
#include "page/write_report.h"

namespace spotter {
namespace {

struct Arguments {
  std::vector<std::string> runs;
  std::string data;
  std::string output;
  ComputeSettings compute;
};

int ReportOne(const Arguments& a) {
  const RunFolder run = RunFolder::Open(a.runs[0]);
  const ComparedRun finished = ReadComparedRun(run);
  const Compute compute = PrepareCompute(a.compute);
  const RunData images = LoadRunData(run, finished.settings, a.data, compute.threads);
  Model model = LoadModel(run.model_file());
  model.network.MoveTo(compute.device);
  Results results = EvaluateFinished(model, images.data, images.splits, compute);
  results.gallery = MakeGallery(model, images.data, results.indices, results.evaluation, compute);
  const ReportInput input{.name = finished.name,
                          .run = finished.run,
                          .recipe = ReadFile(run.recipe_file()),
                          .settings = finished.settings,
                          .state = finished.state,
                          .data = images.data,
                          .splits = images.splits,
                          .network = model.network,
                          .preprocessing = model.preprocessing,
                          .results = &results};
  if (a.output.empty()) {
    WriteReport(run, input);
    std::printf("written: %s and %s\n", (run.path() / "report.html").c_str(), (run.path() / "pictures").c_str());
  } else {
    WritePage(a.output, RenderPage(input));
    std::printf("written: %s\n", a.output.c_str());
  }
  return 0;
}

int ReportSeveral(const Arguments& a) {
  std::vector<ComparedRun> runs;
  for (const std::string& run : a.runs) runs.push_back(ReadComparedRun(RunFolder::Open(run)));
  if (!a.data.empty()) Fail(ExitCode::kUsage, "--data is for the report of one run; a comparison reads no images");
  std::set<std::string> names;
  for (const ComparedRun& run : runs) names.insert(run.name);
  for (size_t i = 0; i < runs.size() && names.size() < runs.size(); ++i)
    runs[i].name = a.runs[i];  // paths tell them apart
  const std::string output = a.output.empty() ? "comparison.html" : a.output;
  WritePage(output, RenderComparison(runs, "Comparison of runs", ""));
  std::printf("%s\nwritten: %s\n", ComparisonText(runs).c_str(), output.c_str());
  return 0;
}

}  // namespace

Command ReportCommand() {
  return {"report", "Make a run's report.html and pictures anew, or compare several runs",
          "  spotter report runs/cifar10-seed-003-1\n"
          "  spotter report runs/cifar10-seed-001-1 runs/cifar10-seed-003-1 --output comparison.html",
          [](CLI::App& app) {
            auto a = std::make_shared<Arguments>();
            app.add_option("run", a->runs, "folders of finished runs")->required();
            app.add_option("--data", a->data, "where the run's data lies now, if it was moved")->type_name("DATA");
            app.add_option("--output", a->output, "the page; report.html in the run's folder, or comparison.html")
                ->type_name("FILE");
            const auto given = AddFlags(app, ComputeOptions(a->compute));
            return [a, given] {
              ApplyFlags(*given, ComputeOptions(a->compute));
              return a->runs.size() == 1 ? ReportOne(*a) : ReportSeveral(*a);
            };
          }};
}

}  // namespace spotter
