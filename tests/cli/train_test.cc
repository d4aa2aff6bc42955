// SPDX-License-Identifier: Apache-2.0
// spotter train: what a run's folder holds, that a run can be repeated, and what is printed.
#include "cli/cli_test.h"

namespace spotter {
namespace {

using TrainTest = CliTest;

TEST_F(TrainTest, TheRunFolderHoldsEverything) {
  MakeImageFolder(at("pictures"));
  const Outcome outcome = Succeed(Train("pictures", {"--epochs", "3"}));
  const fs::path run = at("runs/pictures-default-1");
  for (const char* name :
       {"recipe.toml", "run.json", "checkpoints/best.safetensors", "checkpoints/last.safetensors", "metrics.csv",
        "metrics.json", "predictions.csv", "per_class.csv", "confusion_matrix.csv", "model.safetensors"}) {
    EXPECT_TRUE(fs::file_size(run / name) > 0) << name;
  }
  const Table history = ReadCsv(ReadText(run / "metrics.csv"));
  ASSERT_EQ(history.size(), 1 + 3U);
  EXPECT_EQ(history[0][0], "epoch");
  EXPECT_EQ(history[3][0], "3");

  const Json record = Json::parse(ReadText(run / "run.json"));
  EXPECT_EQ(record["status"], "finished");
  EXPECT_EQ(record["data"]["source"], at("pictures").string());
  EXPECT_EQ(
      record["data"]["train"].get<int>() + record["data"]["validation"].get<int>() + record["data"]["test"].get<int>(),
      120);

  const Table predictions = ReadCsv(ReadText(run / "predictions.csv"));
  EXPECT_EQ(predictions[0], Words({"file", "label", "prediction", "probability", "correct"}));
  EXPECT_EQ(predictions.size(), 1 + record["data"]["test"].get<size_t>());

  // What a person sees: the plan and an epoch a line on stderr, the result on stdout.
  EXPECT_NE(outcome.err.find("97 training, 11 validation, 12 test images, 3 classes"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("with 1 thread\n"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("epoch 3/3"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("accuracy"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("spotter predict runs/pictures-default-1 IMAGE"), std::string::npos) << outcome.out;
}

TEST_F(TrainTest, TheRecipeOfARunRepeatsIt) {
  MakeImageFolder(at("pictures"));
  Succeed(
      Train("pictures", {"--output", "first", "--quiet", "--learning-rate", "0.00123456789", "--seed", "7", "--flip",
                         "--shift", "2", "--schedule", "cosine", "--optimizer", "sgd", "--weight-decay", "1e-4"}));
  Succeed({"train", "pictures", "--recipe", "first/recipe.toml", "--output", "second", "--quiet"});
  EXPECT_EQ(Differences(at("first/model.safetensors"), at("second/model.safetensors")), "");
  EXPECT_EQ(ReadText(at("first/predictions.csv")), ReadText(at("second/predictions.csv")));
  const auto settings = [&](const char* run) {
    const std::string text = ReadText(at(run) / "recipe.toml");
    return text.substr(text.find('\n'));  // the first line names the run
  };
  EXPECT_EQ(settings("first"), settings("second"));
  Succeed({"train", "pictures", "--recipe", "first/recipe.toml", "--seed", "8", "--output", "third", "--quiet"});
  EXPECT_NE(Differences(at("first/model.safetensors"), at("third/model.safetensors")), "");
}

TEST_F(TrainTest, AnotherOptimizerBringsItsUsualLearningRate) {
  MakeImageFolder(at("pictures"));
  const auto rate = [&](const std::string& output, const Words& more) {
    Succeed(Train("pictures", Words{"--output", output, "--quiet", "--epochs", "1"} + more));
    const std::string text = ReadText(at(output) / "recipe.toml");
    const std::string key = "\nlearning-rate = ";
    const size_t value = text.find(key) + key.size();
    return text.substr(value, text.find_first_of(" \n", value) - value);
  };
  EXPECT_EQ(rate("adam", {}), "0.001");
  EXPECT_EQ(rate("sgd", {"--optimizer", "sgd"}), "0.01");
  EXPECT_EQ(rate("muon", {"--optimizer", "muon"}), "0.02");
  EXPECT_EQ(rate("given", {"--optimizer", "sgd", "--learning-rate", "0.003"}), "0.003");
  WriteText(at("own.toml"), "optimizer = \"sgd\"\nlearning-rate = 0.05\n");
  EXPECT_EQ(rate("recipe", {"--recipe", "own.toml"}), "0.05");
  EXPECT_EQ(rate("same", {"--recipe", "own.toml", "--optimizer", "sgd"}), "0.05");
  EXPECT_EQ(rate("other", {"--recipe", "own.toml", "--optimizer", "adamw"}), "0.001");
}

TEST_F(TrainTest, FreezingNamesALayerOfTheRecipesModel) {
  MakeImageFolder(at("pictures"));
  WriteText(at("own.toml"), "model = \"conv 4 relu, flatten, dense 4, dense classes\"\nfreeze-through = \"dense_1\"\n");
  const auto train = [&](const std::string& output, const Words& more) {
    return Words{"train", "pictures", "--recipe", "own.toml", "--epochs", "1", "--quiet", "--output", output} + more;
  };
  const Words other = {"--model", "conv 4 relu, batchnorm, flatten, dense classes"};
  const auto frozen = [&](const std::string& output) {
    return ReadText(at(output) / "recipe.toml").find("freeze-through = \"none\"") == std::string::npos;
  };
  Succeed(train("recipe", {}));
  EXPECT_TRUE(frozen("recipe"));
  Succeed(train("other", other));  // which has no dense_1 with a layer after it
  EXPECT_FALSE(frozen("other"));
  Succeed(train("named", other + Words{"--freeze-through", "conv_1", "--freeze-after", "0.3"}));
  EXPECT_TRUE(frozen("named"));
  Refuse(2, train("no", other + Words{"--freeze-after", "0.3"}), {"--freeze-after", "--freeze-through"});
  Refuse(2, train("no", other + Words{"--freeze-through", "conv_2"}),
         {"--freeze-through conv_2", "conv_1, batchnorm_1"});
  EXPECT_FALSE(fs::exists(at("no")));
}

TEST_F(TrainTest, GoesBackForAShareOfTheImages) {
  MakeImageFolder(at("pictures"));
  const auto losses = [&](const std::string& output, const Words& more) {
    Succeed(Words{"train", "pictures", "--model", "conv 4 relu, flatten, dense classes", "--epochs", "2",
                  "--batch-size", "4", "--quiet", "--output", output} +
            more);
    const Json history = Json::parse(ReadText(at(output) / "metrics.json"))["history"];
    return std::pair<double, double>(history[0]["train_loss"], history[1]["train_loss"]);
  };
  const auto all = losses("all", {});
  const auto half = losses("half", {"--backward-share", "0.5"});
  const auto later = losses("later", {"--backward-share", "0.5", "--backward-share-after", "1"});
  EXPECT_EQ(losses("one", {"--backward-share", "1"}), all);
  EXPECT_NE(half.first, all.first);
  EXPECT_EQ(later.first, all.first);
  EXPECT_NE(later.second, all.second);
  Refuse(2, {"train", "pictures", "--output", "no", "--backward-share-after", "1"},
         {"--backward-share-after", "--backward-share"});
  Refuse(2,
         {"train", "pictures", "--output", "no", "--epochs", "3", "--backward-share", "0.5", "--backward-share-after",
          "3"},
         {"--backward-share-after 3", "--epochs 3"});
  Refuse(2, {"train", "pictures", "--output", "no", "--recipe", "speed", "--epochs", "1", "--backward-share", "0.3"},
         {"--backward-share-after 1", "--epochs 1"});
  Refuse(2, {"train", "pictures", "--output", "no", "--backward-share", "0"}, {"--backward-share"});
  EXPECT_FALSE(fs::exists(at("no")));
}

TEST_F(TrainTest, ARunIsNeverOverwritten) {
  MakeRun();
  const std::string before = ReadText(at("run/model.safetensors"));
  Refuse(2, Train("pictures", {"--output", "run"}), {"'run' exists already", "--output"});
  EXPECT_EQ(ReadText(at("run/model.safetensors")), before);
  for (const int number : {1, 2}) {
    Succeed(Train("pictures", {"--quiet"}));
    EXPECT_TRUE(fs::exists(at("runs") / ("pictures-default-" + std::to_string(number)) / "model.safetensors"));
  }
}

TEST_F(TrainTest, AFolderMayBeNamedWithASlash) {
  MakeImageFolder(at("pictures"));
  Succeed(Train("pictures/", {"--output", "deep/run/", "--quiet"}));
  EXPECT_TRUE(fs::exists(at("deep/run/model.safetensors")));
  Refuse(2, Train("pictures", {"--output", "deep/run/"}), {"exists already"});
}

TEST_F(TrainTest, TheFolderThatOneStandsInMayBeTheData) {
  MakeImageFolder(at("my pets"));
  Surroundings here = Here();
  here.folder = at("my pets");
  for (const std::string number : {"1", "2"}) {  // the second finds the runs of the first among the pictures
    const Outcome outcome = RunCommand(Words{SPOTTER_BINARY} + Train(".", {"--quiet"}), here);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(fs::exists(at("my pets/runs/my-pets-default-" + number + "/model.safetensors")));
  }
}

// A name of the catalog goes before a folder of that name, then and later.
TEST_F(TrainTest, ANameStaysAName) {
  MakeImageFolder(at("sets/cifar10"));
  MakeImageFolder(at("cifar10"), {.classes = {"hen", "owl"}});
  Surroundings here = Here();
  here.environment["SPOTTER_DATA"] = at("sets").string();
  const auto spotter = [&](const Words& arguments) {
    const Outcome outcome = RunCommand(Words{SPOTTER_BINARY} + arguments, here);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome;
  };
  spotter(Train("cifar10", {"--output", "run", "--quiet"}));
  EXPECT_EQ(Json::parse(ReadText(at("run/run.json")))["data"]["source"], "cifar10");
  const Outcome evaluated = spotter({"evaluate", "run", "--json"});
  EXPECT_EQ(evaluated.err, "");
  EXPECT_EQ(Json::parse(evaluated.out)["accuracy"], Json::parse(ReadText(at("run/metrics.json")))["test"]["accuracy"]);
}

TEST_F(TrainTest, JsonLines) {
  MakeImageFolder(at("pictures"));
  const Outcome outcome = Succeed(Train("pictures", {"--json", "--output", "run"}));
  EXPECT_EQ(outcome.err, "");
  std::vector<Json> events;
  for (const std::string& line : Lines(outcome.out)) events.push_back(Json::parse(line));
  ASSERT_GE(events.size(), 3U);
  EXPECT_EQ(events[0]["event"], "epoch");
  EXPECT_EQ(events[0]["epoch"], 1);
  const Json& result = events.back();
  EXPECT_EQ(result["event"], "result");
  EXPECT_EQ(result["run"], "run");
  EXPECT_EQ(result["evaluated_on"], "test");
  EXPECT_EQ(result["test"], Json::parse(ReadText(at("run/metrics.json")))["test"]);
}

/// Phases by name, which fit into the run's time.
void ExpectProfile(const Json& profile, double seconds) {
  double sum = 0;
  for (const char* phase : {"loading", "data", "forward", "loss", "backward", "optimizer", "validation", "checkpoints",
                            "evaluation", "report"}) {
    EXPECT_GT(profile["phases"][phase].get<double>(), 0) << phase;
  }
  for (const auto& [phase, time] : profile["phases"].items()) sum += time.get<double>();
  EXPECT_LE(sum, profile["seconds"]);
  EXPECT_LE(profile["seconds"], seconds);
  EXPECT_GT(profile["peak_gflops"], 0);
}

TEST_F(TrainTest, ProfileShowsWhereTheTimeWent) {
  MakeImageFolder(at("pictures"));
  const Outcome outcome = Succeed(Train("pictures", {"--profile", "--output", "run"}));
  const Json run = Json::parse(ReadText(at("run/run.json")));
  ExpectProfile(run["profile"], outcome.seconds);
  EXPECT_EQ(run["profile"]["images"], 2 * run["data"]["train"].get<int>());
  const std::string text = ReadText(at("run/profile.txt"));
  for (const char* row : {"loading the data", "backward", "everything else", "all "})
    EXPECT_NE(text.find(row), std::string::npos) << row << "\n" << text;
  EXPECT_NE(outcome.out.find(text), std::string::npos) << outcome.out;
  // Where our kernels compute (bf16), step by step of the network; with libtorch the phases alone.
  const bool kernels = !Json::parse(Succeed({"bench", "peak", "--json"}).out)["bf16_gflops"].is_null();
  EXPECT_EQ(text.find("conv_1") != std::string::npos, kernels) << text;
  EXPECT_EQ(run["profile"]["steps"].empty(), !kernels);
}

TEST_F(TrainTest, ProfileOfFp32HasPhasesAlone) {
  MakeImageFolder(at("pictures"));
  const Outcome outcome = Succeed(Train("pictures", {"--profile", "--precision", "fp32", "--json", "--output", "run"}));
  const Json event = Json::parse(Lines(outcome.out).back());
  EXPECT_EQ(event["event"], "profile");
  ExpectProfile(event, outcome.seconds);
  EXPECT_TRUE(event["steps"].empty());
  EXPECT_EQ(ReadText(at("run/profile.txt")).find("Step of the network"), std::string::npos);
}

TEST_F(TrainTest, WithoutProfileThereIsNone) {
  MakeRun();
  EXPECT_FALSE(fs::exists(at("run/profile.txt")));
  EXPECT_FALSE(Json::parse(ReadText(at("run/run.json"))).contains("profile"));
}

/// libtorch in fp32, which any processor has, and bf16, by our kernels or by libtorch: both learn what is easy to see.
TEST_F(TrainTest, BothPrecisionsLearn) {
  MakeImageFolder(at("pictures"), {.tint = 55});
  for (const std::string precision : {"fp32", "bf16"}) {
    Succeed(Train("pictures", {"--precision", precision, "--epochs", "10", "--output", precision, "--quiet"}));
    EXPECT_EQ(Json::parse(ReadText(at(precision) / "run.json"))["compute"]["precision"], precision);
    const Json result = SucceedWithJson({"evaluate", precision, "--precision", "fp32", "--json"});
    EXPECT_GE(result["accuracy"].get<double>(), 0.9) << precision;
  }
}

TEST_F(TrainTest, QuietPrintsOnlyTheResult) {
  MakeImageFolder(at("pictures"));
  const Outcome outcome = Succeed(Train("pictures", {"--quiet"}));
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("accuracy"), std::string::npos);
}

/// What a terminal shows after these bytes, line by line.
Words Screen(const std::string& bytes) {
  Words lines = {""};
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes.compare(i, 3, "\x1b[K") == 0) {
      i += 2;
    } else if (bytes[i] == '\n') {
      lines.emplace_back();
    } else if (bytes[i] == '\r') {
      if (bytes.compare(i, 4, "\r\x1b[K") == 0) lines.back().clear();
    } else {
      lines.back() += bytes[i];
    }
  }
  return lines;
}

TEST_F(TrainTest, OnATerminalOneLineRenewsItself) {
  if (!fs::exists("/usr/bin/script")) GTEST_SKIP() << "script (bsdutils) makes the terminal, and is not here";
  MakeImageFolder(at("pictures"), {.side = 32});
  const auto on_terminal = [&](const std::string& command) {
    const Outcome outcome = RunCommand({"/usr/bin/script", "-qec", command, "/dev/null"}, Here());
    return outcome.out;
  };
  const std::string train = std::string(SPOTTER_BINARY) +
                            " train pictures --threads 1 --batch-size 4 --model 'conv 64 relu, conv 64 relu, flatten, "
                            "dense classes' --precision fp32 --output ";
  const std::string bytes = on_terminal(train + "run --epochs 2");
  EXPECT_NE(bytes.find("\r\x1b[Kepoch 1/2  step "), std::string::npos) << bytes;
  EXPECT_NE(bytes.find(" left\r\x1b[K"), std::string::npos) << "80 columns hold the time that is left";
  for (const std::string& line : Screen(bytes))
    EXPECT_EQ(line.find("  step "), std::string::npos) << "left on the screen: " << line;

  const Words stopped = Screen(on_terminal("timeout --foreground -s INT 2 " + train + "stopped --epochs 1000"));
  ASSERT_GE(stopped.size(), 2U);
  EXPECT_TRUE(stopped[stopped.size() - 2].starts_with("stopped by a signal")) << stopped[stopped.size() - 2];
}

TEST_F(TrainTest, PathsWithSpacesAndQuotes) {
  MakeImageFolder(at("my pictures"), {.each = 10});
  const Outcome outcome = Succeed(Train("my pictures", {"--output", "Ann's run"}));
  EXPECT_NE(outcome.out.find("spotter evaluate 'Ann'\\''s run'"), std::string::npos) << outcome.out;
  Succeed({"evaluate", "Ann's run"});
}

TEST_F(TrainTest, DivergingSaysWhereAndWhatToTry) {
  MakeImageFolder(at("pictures"));
  const Words wild = {"--learning-rate",
                      "1000",
                      "--optimizer",
                      "sgd",
                      "--momentum",
                      "0.9",
                      "--precision",
                      "fp32",
                      "--quiet",
                      "--epochs",
                      "50",
                      "--model",
                      "flatten, dense 32, dense 32, dense classes",
                      "--output",
                      "run"};
  Refuse(5, Words{"train", "pictures", "--threads", "1", "--batch-size", "16"} + wild,
         {"epoch ", "step ", "--learning-rate 1e+02"});
  const Json record = Json::parse(ReadText(at("run/run.json")));
  EXPECT_EQ(record["status"], "failed");
  EXPECT_TRUE(record.contains("error"));
}

TEST_F(TrainTest, DefaultThreadsRepeatToo) {
  MakeImageFolder(at("pictures"));
  for (const char* run : {"first", "second"})
    Succeed(Train("pictures", {"--threads", "0", "--output", run, "--quiet"}));
  EXPECT_EQ(Differences(at("first/model.safetensors"), at("second/model.safetensors")), "");
}

}  // namespace
}  // namespace spotter
