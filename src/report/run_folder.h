// SPDX-License-Identifier: Apache-2.0
// The folder of a run: everything about it, in files that other programs read.
//
//   recipe.toml            every setting; `spotter train DATA --recipe RUN/recipe.toml` repeats the run
//   run.json               command, data, versions, host, times, how it ended
//   checkpoints/           best.safetensors (a model), last.safetensors (what --resume goes on from)
//   metrics.csv            a line an epoch
//   metrics.json           the history, and when the run has finished the test's metrics and calibration
//   predictions.csv        file,label,prediction,probability,correct of each test image
//   per_class.csv, confusion_matrix.csv
//   model.safetensors      the model
//   report.html            all of it to look at (src/page)
//   pictures/              its charts as SVG and PNG
//   tensorboard/           event files
//   profile.txt            where the time went, of a run with --profile
#pragma once

#include <filesystem>
#include <string>

#include "evaluate/evaluation.h"
#include "model_file/model_file.h"
#include "train/settings.h"
#include "train/trainer.h"

namespace spotter {

/// Makes a folder whose name must not exist yet. Throws Error(kUsage) when it does, Error(kIo).
std::filesystem::path MakeNewFolder(const std::filesystem::path& path);
/// Makes the first of runs/STEM-1, runs/STEM-2 ... that does not exist. Safe against another process doing the same.
std::filesystem::path MakeNumberedFolder(const std::string& stem);

class RunFolder {
 public:
  /// Makes a new folder; the name must not exist yet. Throws Error(kUsage) when it does, Error(kIo).
  static RunFolder Create(const std::filesystem::path& path);
  /// In the first of runs/STEM-1, runs/STEM-2 ... that does not exist.
  static RunFolder CreateNumbered(const std::string& stem);
  /// Throws Error(kUsage) when there is something of this name, as Create would.
  static void RefuseExisting(const std::filesystem::path& path);
  /// An existing run. Throws Error(kUsage) when it is none.
  static RunFolder Open(const std::filesystem::path& path);

  /// Makes this process the one that writes here, until it ends, and removes what a killed one left half
  /// written. Throws Error(kUsage) when another process trains here now.
  void TakeOver() const;

  const std::filesystem::path& path() const { return path_; }
  std::string name() const;  // the folder's own, without the path to it
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  std::filesystem::path model_file() const { return path_ / "model.safetensors"; }
  std::filesystem::path recipe_file() const { return path_ / "recipe.toml"; }

  void WriteRecipe(TrainSettings settings) const;
  TrainSettings ReadRecipe() const;

  /// run.json: merged into what is there; null removes a field.
  void UpdateRun(const Json& fields) const;
  Json ReadRun() const;

  void WriteHistory(const TrainState& state) const;  // metrics.csv and metrics.json
  /// Test results: metrics.json, per_class.csv, confusion_matrix.csv; `split` says what was evaluated.
  void WriteResults(const TrainState& state, const std::string& split, const Evaluation& evaluation,
                    const std::vector<std::string>& classes) const;
  void WritePredictions(const std::string& csv) const;

 private:
  static RunFolder MakeAt(const std::filesystem::path& path);
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// The model that a user means: a model file, or a run's (its finished model, else its best checkpoint).
/// Throws Error(kUsage) when there is none.
std::filesystem::path FindModelFile(const std::string& run_or_model);

}  // namespace spotter
