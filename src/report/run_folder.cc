// SPDX-License-Identifier: Apache-2.0
#include "report/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "report/tables.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

Json HistoryJson(const TrainState& state) {
  return {{"best_epoch", state.best_epoch}, {"history", ToJson(state.history)}};
}

/// Makes the last folder of a path; false when it exists.
bool MakeNew(const fs::path& path) {
  if (path.has_parent_path()) MakeFolders(path.parent_path());
  std::error_code error;
  const bool made = fs::create_directory(path, error);
  if (error && !fs::exists(path))
    Fail(ExitCode::kIo, "can't create the folder '{}': {}", path.string(), error.message());
  return made;
}

}  // namespace

void RunFolder::RefuseExisting(const fs::path& path) {
  if (!PathExists(path)) return;
  Fail(ExitCode::kUsage,
       "'{}' exists already, and a run never overwrites anything; give another --output, or --resume '{}'",
       path.string(), path.string());
}

fs::path MakeNewFolder(const fs::path& given) {
  const fs::path path = given.has_filename() ? given : given.parent_path();  // a final '/'
  if (!MakeNew(path)) RunFolder::RefuseExisting(path);
  return path;
}

fs::path MakeNumberedFolder(const std::string& stem) {
  for (int number = 1;; ++number) {
    const fs::path path = fs::path("runs") / fmt::format("{}-{}", stem, number);
    if (MakeNew(path)) return path;
  }
}

RunFolder RunFolder::Create(const fs::path& path) { return MakeAt(MakeNewFolder(path)); }

RunFolder RunFolder::CreateNumbered(const std::string& stem) { return MakeAt(MakeNumberedFolder(stem)); }

RunFolder RunFolder::MakeAt(const fs::path& path) {
  MakeFolders(path / "checkpoints");
  RunFolder run(path);
  run.TakeOver();
  return run;
}

void RunFolder::TakeOver() const {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // the lock ends with the process
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    Fail(ExitCode::kUsage, "another spotter trains in '{}' now; wait until it ends, or stop it", path_.string());
  }
  std::vector<fs::path> left;  // half-written files of a process that was killed
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && name.find(".tmp.") != std::string::npos) left.push_back(entry.path());
  }
  for (const fs::path& path : left) fs::remove(path, ignored);
}

RunFolder RunFolder::Open(const fs::path& path) {
  if (PathExists(path / "run.json")) return RunFolder(path);
  if (IsFolder(path / "checkpoints")) {
    if (!fs::is_empty(path / "checkpoints")) {
      Fail(ExitCode::kModel, "the run '{}' is damaged: its run.json is missing; put it back, or start a new run",
           path.string());
    }
    Fail(ExitCode::kUsage,
         "the run '{}' was killed before it began, so there is nothing to go on with; remove the folder and "
         "start it anew",
         path.string());
  }
  Fail(ExitCode::kUsage,
       "'{}' is no run: a folder with a run.json was expected, such as `spotter train` makes under runs/",
       path.string());
}

std::string RunFolder::name() const { return LastName(path_); }

void RunFolder::WriteRecipe(TrainSettings settings) const {
  const std::string file =
      Printable(ShellWord(recipe_file().string()));  // TOML allows no other bytes, even in comments
  WriteFileAtomically(recipe_file(), "# Every setting of this run. To repeat it: spotter train DATA --recipe " + file +
                                         "\n\n" + WriteToml(TrainOptions(settings), /*with_help=*/false));
}

TrainSettings RunFolder::ReadRecipe() const {
  TrainSettings settings;
  ReadToml(ReadFile(recipe_file()), recipe_file().string(), TrainOptions(settings));
  return settings;
}

void RunFolder::UpdateRun(const Json& fields) const {
  Json run = PathExists(path_ / "run.json") ? ReadRun() : Json::object();
  run.merge_patch(fields);
  WriteFileAtomically(path_ / "run.json", DumpJson(run, 2) + "\n");
}

Json RunFolder::ReadRun() const {
  Json run = Json::parse(ReadFile(path_ / "run.json"), nullptr, /*allow_exceptions=*/false);
  if (!run.is_object())
    Fail(ExitCode::kModel, "'{}' is damaged: a JSON object was expected", (path_ / "run.json").string());
  return run;
}

void RunFolder::WriteHistory(const TrainState& state) const {
  WriteFileAtomically(path_ / "metrics.csv", HistoryCsv(state.history));
  // A resumed run keeps the results of its earlier end until it has new ones: predictions.csv is still theirs.
  Json json = Json::object();
  if (PathExists(path_ / "metrics.json"))
    json = Json::parse(ReadFile(path_ / "metrics.json"), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) json = Json::object();
  json.update(HistoryJson(state));
  WriteFileAtomically(path_ / "metrics.json", DumpJson(json, 2) + "\n");
}

void RunFolder::WriteResults(const TrainState& state, const std::string& split, const Evaluation& evaluation,
                             const std::vector<std::string>& classes) const {
  Json json = HistoryJson(state);
  json["evaluated_on"] = split;
  json["evaluated_after_epoch"] = state.epochs_done;
  json[split] = ToJson(evaluation, classes);
  WriteFileAtomically(path_ / "metrics.json", DumpJson(json, 2) + "\n");
  WriteFileAtomically(path_ / "per_class.csv", PerClassCsv(evaluation.metrics, classes));
  WriteFileAtomically(path_ / "confusion_matrix.csv", ConfusionCsv(evaluation.metrics, classes));
}

void RunFolder::WritePredictions(const std::string& csv) const { WriteFileAtomically(path_ / "predictions.csv", csv); }

fs::path FindModelFile(const std::string& run_or_model) {
  const fs::path path = run_or_model;
  if (IsFile(path)) return path;
  if (!PathExists(path))
    Fail(ExitCode::kUsage, "'{}' does not exist; give a run's folder or a model file (.safetensors)", run_or_model);
  const fs::path model = path / "model.safetensors", best = path / "checkpoints" / "best.safetensors";
  const bool is_run = PathExists(path / "run.json");
  // A finished run that was resumed and has not finished again holds an old model; its best checkpoint is newer.
  const bool under_way = is_run && RunFolder::Open(path).ReadRun().value("status", "") != "finished";
  if (under_way && PathExists(best)) return best;
  if (PathExists(model)) return model;
  if (PathExists(best)) return best;
  if (!is_run) {
    Fail(ExitCode::kUsage, "'{}' is neither a run's folder (one with a run.json) nor a model file (.safetensors)",
         run_or_model);
  }
  Fail(ExitCode::kUsage,
       "the run '{}' has no model.safetensors; was the run stopped before its first epoch ended? Go on "
       "with --resume",
       run_or_model);
}

}  // namespace spotter
