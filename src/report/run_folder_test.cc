// SPDX-License-Identifier: Apache-2.0
#include "report/run_folder.h"

#include <functional>
#include <thread>

#include "base/error.h"
#include "support/test_support.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

std::string Refusal(ExitCode code, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "it worked";
  return "";
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Runs : public testing::Test {
 protected:
  TemporaryFolder folder_;
  fs::path run() const { return folder_.path() / "a run"; }
};

TEST_F(Runs, AreMadeOnceAndNeverOverwritten) {
  const RunFolder made = RunFolder::Create(folder_.path() / "deep" / "run");
  EXPECT_TRUE(fs::is_directory(made.checkpoints()));
  WriteText(made.path() / "mine", "x");
  const std::string message = Refusal(ExitCode::kUsage, [&] { RunFolder::Create(made.path()); });
  EXPECT_TRUE(Has(message, "exists already")) << message;
  EXPECT_TRUE(Has(message, "--resume")) << message;
  EXPECT_EQ(ReadText(made.path() / "mine"), "x");
  EXPECT_EQ(RunFolder::Create(folder_.path() / "slash" / "").path(), folder_.path() / "slash");
  WriteText(folder_.path() / "file", "x");
  EXPECT_TRUE(Has(Refusal(ExitCode::kUsage, [&] { RunFolder::Create(folder_.path() / "file"); }), "exists already"));
  Refusal(ExitCode::kIo, [&] { RunFolder::Create(folder_.path() / "file" / "run"); });
}

TEST_F(Runs, NumberedOnesTakeTheFirstFreeNumber) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  EXPECT_EQ(RunFolder::CreateNumbered("cnn").path(), "runs/cnn-1");
  EXPECT_EQ(RunFolder::CreateNumbered("cnn").path(), "runs/cnn-2");
  EXPECT_EQ(RunFolder::CreateNumbered("other").path(), "runs/other-1");
  // Many at once get a folder each.
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 5; ++i) RunFolder::CreateNumbered("race");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(fs::exists("runs/race-20"));
  EXPECT_FALSE(fs::exists("runs/race-21"));
  fs::current_path(before);
}

TEST_F(Runs, AreOpenedOnlyWhereThereIsOne) {
  for (const fs::path& path : {folder_.path(), folder_.path() / "absent"}) {
    EXPECT_TRUE(Has(Refusal(ExitCode::kUsage, [&] { RunFolder::Open(path); }), "is no run"));
  }
  RunFolder::Create(run()).UpdateRun({{"command", "train"}});
  EXPECT_EQ(RunFolder::Open(run()).ReadRun().at("command"), "train");
}

TEST_F(Runs, TheirRecipeRepeatsTheSettings) {
  const RunFolder made = RunFolder::Create(run());
  TrainSettings settings;
  settings.model = "conv 8 relu, flatten, dense classes";
  settings.schedule.learning_rate = 0.1 + 0.2;
  settings.class_weights = "\"odd\" \\ class=2";
  settings.flip = true;
  settings.seed = 123456789012345;
  made.WriteRecipe(settings);
  TrainSettings back = made.ReadRecipe();
  const auto a = TrainOptions(settings), b = TrainOptions(back);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(OptionValue(a[i]), OptionValue(b[i])) << a[i].name;
}

TEST_F(Runs, ADamagedRecipeOrRunNamesTheFile) {
  const RunFolder made = RunFolder::Create(run());
  WriteText(made.recipe_file(), "epochs = ");
  EXPECT_TRUE(Has(Refusal(ExitCode::kUsage, [&] { made.ReadRecipe(); }), "recipe.toml"));
  for (const char* damaged : {"", "{", "[]", "null"}) {
    WriteText(made.path() / "run.json", damaged);
    EXPECT_TRUE(Has(Refusal(ExitCode::kModel, [&] { made.ReadRun(); }), "run.json"));
  }
}

TEST_F(Runs, KeepWhatWasKnownWhenMoreIsLearnt) {
  const RunFolder made = RunFolder::Create(run());
  made.UpdateRun({{"command", "train"}, {"end", "interrupted"}});
  made.UpdateRun({{"end", "finished"}, {"file", "caf\xe9"}});
  const Json json = made.ReadRun();
  EXPECT_EQ(json.at("command"), "train");
  EXPECT_EQ(json.at("end"), "finished");
  EXPECT_EQ(json.at("file"), "caf\xEF\xBF\xBD");
}

TEST_F(Runs, HoldResultsThatOtherProgramsRead) {
  const RunFolder made = RunFolder::Create(run());
  TrainState state;
  state.best_epoch = 1;
  state.history = {{.epoch = 1, .train_loss = 0.5}};
  const Evaluation evaluation = EvaluateLogits({0, 1}, {1, 0, 1, 0}, 2, 1.5);
  made.WriteHistory(state);
  EXPECT_EQ(Json::parse(ReadText(made.path() / "metrics.json")).at("history").size(), 1U) << "a stopped run has it too";
  made.WriteResults(state, "test", evaluation, {"a", "b"});
  made.WritePredictions("file\n");
  const Json json = Json::parse(ReadText(made.path() / "metrics.json"));
  EXPECT_EQ(json.at("evaluated_on"), "test");
  EXPECT_EQ(json.at("test").at("accuracy"), 0.5);
  EXPECT_EQ(json.at("test").at("calibration").at("temperature"), 1.5);
  EXPECT_EQ(json.at("best_epoch"), 1);
  EXPECT_EQ(json.at("history")[0].at("train_loss"), 0.5);
  EXPECT_TRUE(ReadText(made.path() / "metrics.csv").starts_with("epoch,"));
  EXPECT_TRUE(ReadText(made.path() / "per_class.csv").starts_with("class,"));
  EXPECT_EQ(ReadText(made.path() / "confusion_matrix.csv"), "truth,a,b\na,1,0\nb,1,0\n");
  EXPECT_EQ(ReadText(made.path() / "predictions.csv"), "file\n");
}

TEST_F(Runs, TheModelFileIsTheFinishedOneElseTheBestCheckpoint) {
  const RunFolder made = RunFolder::Create(run());
  EXPECT_TRUE(Has(Refusal(ExitCode::kUsage, [&] { FindModelFile(run().string()); }), "is neither a run"));
  made.UpdateRun({{"status", "stopped"}});
  EXPECT_TRUE(Has(Refusal(ExitCode::kUsage, [&] { FindModelFile(run().string()); }), "has no model.safetensors"));
  EXPECT_TRUE(
      Has(Refusal(ExitCode::kUsage, [&] { FindModelFile("/absent/model"); }), "'/absent/model' does not exist"));
  WriteText(made.checkpoints() / "best.safetensors", "x");
  EXPECT_EQ(FindModelFile(run().string()), made.checkpoints() / "best.safetensors");
  WriteText(made.model_file(), "x");
  made.UpdateRun({{"status", "finished"}});
  EXPECT_EQ(FindModelFile(run().string()), made.model_file());
  EXPECT_EQ(FindModelFile(made.model_file().string()), made.model_file());
}

}  // namespace
}  // namespace spotter
