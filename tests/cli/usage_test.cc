// SPDX-License-Identifier: Apache-2.0
// A mistyped command: one line that says what is wrong and what was meant, exit code 2, and nothing is made.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class UsageTest : public CliTest {
 protected:
  void SetUp() override { MakeImageFolder(at("pictures"), {.each = 4}); }
  void TearDown() override { EXPECT_FALSE(fs::exists(at("runs"))) << "a mistake left a run folder"; }
  void ExpectMistake(const Words& arguments, const Words& parts) const { Refuse(2, arguments, parts); }
};

TEST_F(UsageTest, NoArgumentsShowTheHelp) {
  const Outcome outcome = Spotter({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("Usage: spotter"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("spotter train cifar10"), std::string::npos);
}

TEST_F(UsageTest, UnknownCommand) {
  ExpectMistake({"trian", "pictures"}, {"'trian' is not a command", "did you mean 'train'?"});
  ExpectMistake({"frobnicate"}, {"'frobnicate' is not a command", "spotter --help"});
  ExpectMistake({"--nope"}, {"'--nope'"});
  ExpectMistake({"bench", "tran"}, {"'tran' is not a command", "did you mean 'train'?"});
}

TEST_F(UsageTest, UnknownFlag) {
  ExpectMistake({"train", "pictures", "--epochz", "3"}, {"'--epochz'", "did you mean '--epochs'?"});
  ExpectMistake({"evaluate", "run", "--spilt", "test"}, {"'--spilt'", "did you mean '--split'?"});
  ExpectMistake({"train", "pictures", "more"}, {"'more'"});
}

TEST_F(UsageTest, WrongValue) {
  ExpectMistake({"train", "pictures", "--batch-size", "0"}, {"--batch-size 0", "a whole number from 1 to 1000000"});
  ExpectMistake({"train", "pictures", "--batch-size", "eight"}, {"--batch-size eight", "a whole number"});
  ExpectMistake({"train", "pictures", "--batch-size"}, {"--batch-size needs a value"});
  ExpectMistake({"train", "pictures", "--learning-rate", "nan"}, {"--learning-rate nan", "a number from"});
  ExpectMistake({"train", "pictures", "--optimizer", "adm"},
                {"--optimizer adm", "adam, adamw, muon or sgd", "did you mean 'adam'?"});
  ExpectMistake({"train", "pictures", "--flip=maybe"}, {"--flip maybe", "true or false"});
  ExpectMistake({"evaluate", "run", "--split", "tset"}, {"--split tset", "did you mean 'test'?"});
  ExpectMistake({"evaluate", "run", "--top-k", "0"}, {"--top-k 0", "from 1 to 1000"});
  ExpectMistake({"predict", "run", "x.png", "--format", "xml"}, {"--format xml", "text, csv or json"});
  ExpectMistake({"data", "pictures", "--seed", "-1"}, {"--seed -1"});
  ExpectMistake({"models", "cnn", "--classes", "x"}, {"--classes x"});
}

TEST_F(UsageTest, FlagWithoutEffect) {
  const auto mistake = [&](const Words& more, const Words& parts) { ExpectMistake(Words{"train", "x"} + more, parts); };
  mistake({"--momentum", "0.9"}, {"--momentum has no effect without --optimizer sgd or muon"});
  mistake({"--optimizer", "sgd", "--beta1", "0.9"}, {"--beta1", "--optimizer adam or adamw"});
  mistake({"--optimizer", "sgd", "--muon-momentum", "0.9"}, {"--muon-momentum", "--optimizer muon"});
  mistake({"--schedule", "cosine", "--step-factor", "0.5"}, {"--step-factor", "--schedule step"});
  mistake({"--min-learning-rate", "0.1"}, {"--min-learning-rate", "--schedule cosine, linear, step or plateau"});
  mistake({"--schedule", "one-cycle", "--warmup-epochs", "1"}, {"--warmup-epochs", "one-cycle"});
  mistake({"--warmup-start-factor", "0.1"}, {"--warmup-start-factor", "--warmup-epochs, above 0"});
  mistake({"--shift-fill", "zero"}, {"--shift-fill", "--shift, above 0"});
  mistake({"--views-below", "0.5"}, {"--views-below", "--views 2 or 6"});
  // Beside those that they need they pass, given or of a recipe: what is wrong then is the data's name.
  mistake({"--shift", "2", "--shift-fill", "zero", "--views", "2", "--views-below", "0.5"}, {"'x'"});
  mistake({"--recipe", "speed", "--muon-momentum", "0.5"}, {"'x'"});
}

TEST_F(UsageTest, MissingWord) {
  ExpectMistake({"train"}, {"spotter train DATA"});
  ExpectMistake({"evaluate"}, {"MODEL is missing"});
  ExpectMistake({"predict", "run"}, {"IMAGES is missing"});
}

TEST_F(UsageTest, UnknownLayer) {
  ExpectMistake({"train", "pictures", "--model", "konv 8 relu, flatten, dense classes"},
                {"'konv'", "did you mean 'conv'?"});
  ExpectMistake({"train", "pictures", "--model", "conv 8 rel, flatten, dense classes"},
                {"'rel'", "did you mean 'relu'?"});
  ExpectMistake({"train", "pictures", "--model", "conv 8 relu"}, {"dense classes"});
  ExpectMistake({"train", "pictures", "--model", "cnm"}, {"'cnm'", "did you mean 'cnn'?"});
}

TEST_F(UsageTest, Recipe) {
  WriteText(at("typo.toml"), "learning-rat = 0.1\n");
  ExpectMistake({"train", "pictures", "--recipe", "typo.toml"},
                {"typo.toml", "'learning-rat'", "did you mean 'learning-rate'?"});
  WriteText(at("value.toml"), "epochs = \"many\"\n");
  ExpectMistake({"train", "pictures", "--recipe", "value.toml"}, {"value.toml", "epochs", "a whole number"});
  WriteText(at("broken.toml"), "epochs = 3\nseed = = 4\n");
  ExpectMistake({"train", "pictures", "--recipe", "broken.toml"}, {"broken.toml", "line 2"});
  ExpectMistake({"train", "pictures", "--recipe", "seed-01"}, {"seed-01", "did you mean 'seed-001'?"});
  ExpectMistake({"recipes", "seed-01"}, {"seed-01", "did you mean 'seed-001'?"});
}

TEST_F(UsageTest, UnknownData) {
  ExpectMistake({"train", "cifr10"}, {"'cifr10'", "did you mean 'cifar10'?", "fashion-mnist"});
  ExpectMistake({"data", "nowhere/at/all"}, {"'nowhere/at/all'", "cifar10"});
}

TEST_F(UsageTest, UnknownModelFile) {
  ExpectMistake({"evaluate", "run"}, {"'run' does not exist"});
  ExpectMistake({"predict", "pictures", "x.png"}, {"'pictures' is neither a run's folder"});
  ExpectMistake({"train", "--resume", "run"}, {"'run' is no run"});
}

TEST_F(UsageTest, ClassWeightsOfUnknownClasses) {
  ExpectMistake(Train("pictures", {"--class-weights", "cat=2"}), {"'cat'", "blue, green, red"});
  ExpectMistake(Train("pictures", {"--class-weights", "red=x"}), {"--class-weights red=x", "CLASS=WEIGHT"});
}

TEST_F(UsageTest, HelpAndVersionGoToStandardOutput) {
  for (const char* verb : {"train", "evaluate", "predict", "data", "models", "recipes", "bench"}) {
    const Outcome outcome = Succeed({verb, "--help"});
    EXPECT_NE(outcome.out.find(std::string("Usage: spotter ") + verb), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("Examples:"), std::string::npos) << verb;
    EXPECT_EQ(outcome.err, "");
  }
  EXPECT_TRUE(Succeed({"--version"}).out.starts_with("spotter "));
}

TEST_F(UsageTest, OutputThatCannotBeWrittenIsNoSuccess) {
  const Outcome outcome = RunCommand({"/bin/sh", "-c", std::string(SPOTTER_BINARY) + " models > /dev/full"}, Here());
  ExpectRefusal(outcome, 6, {"standard output", "No space left"});
}

}  // namespace
}  // namespace spotter
