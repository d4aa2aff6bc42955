// SPDX-License-Identifier: Apache-2.0
// spotter evaluate: its figures agree with each other, with the run's own, and with the predictions that they
// sum up.
#include <array>
#include <cmath>

#include "cli/cli_test.h"

namespace spotter {
namespace {

class EvaluateTest : public CliTest {
 protected:
  void SetUp() override { MakeRun({.each = 60, .tint = 45}); }
};

TEST_F(EvaluateTest, JsonHoldsAllAndAgrees) {
  const Json json = SucceedWithJson({"evaluate", "run", "--json", "--predictions", "all.csv"});
  for (const char* key : {"accuracy", "loss", "accuracy_interval", "per_class", "macro", "weighted", "confusion_matrix",
                          "calibration", "images"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["split"], "test");

  Table predictions = ReadCsv(ReadText(at("all.csv")));
  predictions.erase(predictions.begin());
  ASSERT_EQ(predictions.size(), json["images"].get<size_t>());
  int correct = 0;
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const Words& row : predictions) {
    EXPECT_EQ(row[4], row[1] == row[2] ? "1" : "0");
    EXPECT_TRUE(row[0].starts_with(row[1] + "/")) << "the label of " << row[0] << " is its folder";
    correct += row[1] == row[2];
    ++counts[{row[1], row[2]}];
  }
  const double accuracy = static_cast<double>(correct) / static_cast<double>(predictions.size());
  EXPECT_GT(accuracy, 0.5);
  EXPECT_NEAR(json["accuracy"].get<double>(), accuracy, 1e-12);
  EXPECT_LE(json["accuracy_interval"][0].get<double>(), accuracy);
  EXPECT_GE(json["accuracy_interval"][1].get<double>(), accuracy);
  const Words classes = {"blue", "green", "red"};
  for (size_t t = 0; t < 3; ++t) {
    for (size_t p = 0; p < 3; ++p) EXPECT_EQ(json["confusion_matrix"][t][p], (counts[{classes[t], classes[p]}]));
  }
  EXPECT_EQ(ReadText(at("all.csv")), ReadText(at("run/predictions.csv")));

  Json run = Json::parse(ReadText(at("run/metrics.json")))["test"];
  for (const char* key :
       {"accuracy", "loss", "accuracy_interval", "per_class", "macro", "weighted", "confusion_matrix", "calibration"}) {
    EXPECT_EQ(run[key], json[key]) << key;
  }
}

/// The expected calibration error of a predictions.csv, in 15 bins.
double ErrorOf(Table predictions) {
  predictions.erase(predictions.begin());
  std::array<double, 15> gaps = {};
  for (const Words& row : predictions) {
    const double probability = std::stod(row[3]);
    gaps[static_cast<size_t>(std::ceil(15 * probability)) - 1] += std::stod(row[4]) - probability;
  }
  double sum = 0;
  for (const double gap : gaps) sum += std::abs(gap);
  return sum / static_cast<double>(predictions.size());
}

// The temperature is fitted on the validation images: what it is there for, it does there.
TEST_F(EvaluateTest, Calibration) {
  fs::remove_all(at("run"));  // a temperature takes a hundred validation images
  Succeed(Train("pictures", {"--output", "run", "--quiet", "--validation-fraction", "0.7"}));
  const Json json =
      SucceedWithJson({"evaluate", "run", "--json", "--split", "validation", "--predictions", "calibrated.csv"});
  const Json calibration = json["calibration"];
  EXPECT_NE(calibration["temperature"], 1.0) << "this test needs a run that predicts some image wrong";
  EXPECT_LT(json["loss"], calibration["loss_uncalibrated"]);
  EXPECT_NEAR(calibration["ece"].get<double>(), ErrorOf(ReadCsv(ReadText(at("calibrated.csv")))), 1e-6);

  // A checkpoint is the same network, not calibrated.
  const Json raw = SucceedWithJson(
      {"evaluate", "run/checkpoints/best.safetensors", "--json", "--split", "validation", "--predictions", "raw.csv"});
  EXPECT_EQ(raw["calibration"]["temperature"], 1.0);
  EXPECT_EQ(raw["loss"], calibration["loss_uncalibrated"]);
  EXPECT_EQ(raw["calibration"]["ece"], calibration["ece_uncalibrated"]);
  EXPECT_EQ(raw["confusion_matrix"], json["confusion_matrix"]);
  EXPECT_NEAR(raw["calibration"]["ece"].get<double>(), ErrorOf(ReadCsv(ReadText(at("raw.csv")))), 1e-6);

  // The probabilities of predict are the calibrated ones too.
  const Words row = ReadCsv(ReadText(at("calibrated.csv"))).at(1);
  const Words raw_row = ReadCsv(ReadText(at("raw.csv"))).at(1);
  ASSERT_GT(std::abs(std::stod(row[3]) - std::stod(raw_row[3])), 1e-3);
  const Json answer = SucceedWithJson({"predict", "run", "pictures/" + row[0], "--json", "--threads", "1"});
  EXPECT_NEAR(answer[0]["predictions"][0]["probability"].get<double>(), std::stod(row[3]), 1e-4);

  const std::string text = Succeed({"evaluate", "run"}).out;
  EXPECT_NE(text.find("\nCalibration: its probabilities are off by "), std::string::npos) << text;
  EXPECT_NE(text.find("before temperature"), std::string::npos) << text;
}

TEST_F(EvaluateTest, Splits) {
  const Json record = Json::parse(ReadText(at("run/run.json")))["data"];
  int sum = 0;
  for (const std::string split : {"train", "validation", "test"}) {
    const Json json = SucceedWithJson({"evaluate", "run", "--json", "--split", split});
    EXPECT_EQ(json["split"], split);
    EXPECT_EQ(json["images"], record[split]) << split;
    sum += json["images"].get<int>();
  }
  EXPECT_EQ(SucceedWithJson({"evaluate", "run", "--json", "--split", "all"})["images"], sum);
  EXPECT_EQ(sum, 180);
}

TEST_F(EvaluateTest, AFolderOfOtherPictures) {
  MakeImageFolder(at("fresh"), {.classes = {"green", "red"}, .each = 7, .seed = 5});
  const Json json = SucceedWithJson({"evaluate", "run/model.safetensors", "fresh", "--json"});
  EXPECT_EQ(json["images"], 14);  // all of them: the model has seen none
  EXPECT_EQ(json["per_class"].size(), 3U);
  EXPECT_EQ(SucceedWithJson({"evaluate", "run", "fresh", "--json"})["images"], 14);
}

TEST_F(EvaluateTest, ItsOwnDataIsDecodedOnce) {
  Succeed({"evaluate", "run"});
  const auto entries = fs::directory_iterator(at("cache/decoded"));
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(EvaluateTest, ItsOwnDataThatChangedIsToldOf) {
  const Outcome same = Succeed({"evaluate", "run/checkpoints/best.safetensors", "--json"});  // knows its run too
  EXPECT_EQ(same.err, "");
  EXPECT_EQ(Json::parse(same.out)["images"], 18);
  fs::remove(at("pictures/red/00.png"));
  const Outcome changed = Succeed({"evaluate", "run", "--json"});
  EXPECT_TRUE(changed.err.starts_with("warning: ")) << changed.err;
  EXPECT_NE(changed.err.find("has changed since the run"), std::string::npos) << changed.err;
}

TEST_F(EvaluateTest, AnUnknownClass) {
  MakeImageFolder(at("fresh"), {.classes = {"green", "purple"}, .each = 7});
  Refuse(3, {"evaluate", "run", "fresh"}, {"'purple'", "blue, green, red"});
}

TEST_F(EvaluateTest, AModelAloneNeedsData) {
  fs::copy_file(at("run/model.safetensors"), at("alone.safetensors"));
  Refuse(2, {"evaluate", "alone.safetensors"}, {"spotter evaluate alone.safetensors DATA"});
  EXPECT_EQ(SucceedWithJson({"evaluate", "alone.safetensors", "pictures", "--json"})["images"], 180);
}

TEST_F(EvaluateTest, Tables) {
  const Json json =
      SucceedWithJson({"evaluate", "run", "--json", "--csv", "classes.csv", "--confusion-csv", "matrix.csv"});
  const Table classes = ReadCsv(ReadText(at("classes.csv")));
  ASSERT_EQ(classes.size(), 1 + 3 + 2U);
  EXPECT_EQ(classes[0], Words({"class", "precision", "recall", "f1", "support"}));
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(classes[1 + c][0], json["per_class"][c]["name"].get<std::string>());
    EXPECT_NEAR(std::stod(classes[1 + c][3]), json["per_class"][c]["f1"].get<double>(), 1e-9);
  }
  const Table matrix = ReadCsv(ReadText(at("matrix.csv")));
  ASSERT_EQ(matrix.size(), 1 + 3U);
  EXPECT_EQ(matrix[0], Words({"truth", "blue", "green", "red"}));
  for (size_t r = 0; r < 3; ++r) {
    for (size_t c = 0; c < 3; ++c)
      EXPECT_EQ(std::stoi(matrix[1 + r][1 + c]), json["confusion_matrix"][r][c].get<int>());
  }
  Refuse(6, {"evaluate", "run", "--csv", "nowhere/classes.csv"}, {"'nowhere/classes.csv'"});
}

// Six views are part of the model: training's own test, evaluate and predict all answer by them.
TEST_F(EvaluateTest, ViewsComeFromTheModelUnlessToldOtherwise) {
  Succeed(Train("pictures", {"--output", "six", "--quiet", "--views", "6"}));
  const auto losses = [&](const Words& more) {
    return SucceedWithJson(Words{"evaluate", "six", "--json"} + more)["loss"].get<double>();
  };
  const double six = losses({}), one = losses({"--views", "1"}), two = losses({"--views", "2"});
  EXPECT_EQ(six, Json::parse(ReadText(at("six/metrics.json")))["test"]["loss"].get<double>());
  EXPECT_EQ(six, losses({"--views", "6"}));
  EXPECT_NE(six, one);
  EXPECT_NE(six, two);
  EXPECT_NE(one, two);
  EXPECT_EQ(one, losses({"--views", "6", "--views-below", "0"}));
  const Table predictions = ReadCsv(ReadText(at("six/predictions.csv")));
  for (const size_t row : {size_t{1}, size_t{9}}) {
    const Json answer = SucceedWithJson({"predict", "six", "--json", "pictures/" + predictions[row][0]});
    EXPECT_EQ(answer[0]["predictions"][0]["class"], predictions[row][2]);
    EXPECT_NEAR(answer[0]["predictions"][0]["probability"].get<double>(), std::stod(predictions[row][3]), 1e-3);
  }
  Refuse(2, {"evaluate", "six", "--views", "3"}, {"views is 3: expected 1, 2 or 6"});
  Refuse(2, Train("pictures", {"--output", "no", "--quiet", "--views", "4"}), {"views is 4: expected 1, 2 or 6"});
  Refuse(2, Train("pictures", {"--output", "no", "--quiet", "--alternating-flip"}), {"--alternating-flip", "--flip"});
  EXPECT_FALSE(fs::exists(at("no")));
}

TEST_F(EvaluateTest, TextNamesTheClasses) {
  const std::string text = Succeed({"evaluate", "run"}).out;
  for (const char* part : {"accuracy", "95 % interval", "precision", "macro average", "truth \\ predicted", "green"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace spotter
