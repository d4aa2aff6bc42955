// SPDX-License-Identifier: Apache-2.0
// spotter predict: every way to name images, every format, and the same answers as the evaluation gave.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class PredictTest : public CliTest {
 protected:
  void SetUp() override { MakeRun(); }
  /// The files that were answered, of JSON output.
  static Words Files(const Json& answers) {
    Words files;
    for (const Json& answer : answers) files.push_back(answer["file"]);
    return files;
  }
};

TEST_F(PredictTest, FilesFoldersPatternsAndLists) {
  const Words three = {"pictures/blue/00.png", "pictures/green/00.png", "pictures/red/00.png"};
  EXPECT_EQ(Files(SucceedWithJson(Words{"predict", "run", "--json"} + three)), three);
  EXPECT_EQ(Files(SucceedWithJson({"predict", "run", "--json", "pictures/*/00.png"})), three);
  EXPECT_EQ(Files(SucceedWithJson({"predict", "run", "--json", "pictures/red"})).size(), 40U);
  EXPECT_EQ(Files(SucceedWithJson({"predict", "run", "--json", "pictures"})).size(), 120U);
  EXPECT_EQ(Files(SucceedWithJson({"predict", "run", "--json", "pictures/*"})).size(), 120U);
  const Outcome listed = Succeed({"predict", "run", "--json", "-"}, three[0] + "\n" + three[1] + "\r\n\n" + three[2]);
  EXPECT_EQ(Files(Json::parse(listed.out)), three);
  Refuse(2, {"predict", "run", "nowhere.png"}, {"'nowhere.png'"});
  Refuse(3, {"predict", "run", "-"}, {"no images were given"});
}

TEST_F(PredictTest, AFoldersOtherFilesAreNoImages) {
  WriteText(at("pictures/red/README.txt"), "my pictures");
  WriteText(at("pictures/.hidden.png"), "x");
  WriteText(at("pictures/Thumbs.db"), "x");
  EXPECT_EQ(Files(SucceedWithJson({"predict", "run", "--json", "pictures"})).size(), 120U);
  fs::create_directories(at("empty"));
  Refuse(3, {"predict", "run", "empty"}, {"'empty' holds no JPEG, PNG or WebP images"});
  Refuse(2, {"predict", "pictures", "pictures"}, {"'pictures' is neither a run"});
}

TEST_F(PredictTest, TopIsSortedAndSumsToOne) {
  for (const int top : {1, 2, 3, 50}) {
    const Json answers = SucceedWithJson({"predict", "run", "--json", "pictures/red", "--top", std::to_string(top)});
    for (const Json& answer : answers) {
      const Json& best = answer["predictions"];
      ASSERT_EQ(best.size(), static_cast<size_t>(std::min(top, 3)));
      double sum = 0;
      for (size_t k = 0; k < best.size(); ++k) {
        sum += best[k]["probability"].get<double>();
        if (k > 0) EXPECT_LE(best[k]["probability"], best[k - 1]["probability"]);
      }
      EXPECT_LE(sum, 1 + 1e-6);
      if (best.size() == 3) EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

TEST_F(PredictTest, FormatsAgree) {
  const Words files = {"pictures/blue/03.png", "pictures/red/05.png"};
  const Json json = SucceedWithJson(Words{"predict", "run", "--format", "json"} + files);
  const Table csv = ReadCsv(Succeed(Words{"predict", "run", "--format", "csv"} + files).out);
  const std::string text = Succeed(Words{"predict", "run"} + files).out;
  ASSERT_EQ(csv.size(), 1 + 6U);
  EXPECT_EQ(csv[0], Words({"file", "rank", "class", "probability"}));
  for (size_t i = 0; i < 6; ++i) {
    const Json& prediction = json[i / 3]["predictions"][i % 3];
    const Words& row = csv[1 + i];
    EXPECT_EQ(row[0], files[i / 3]);
    EXPECT_EQ(row[1], std::to_string(i % 3 + 1));
    EXPECT_EQ(row[2], prediction["class"].get<std::string>());
    EXPECT_NEAR(std::stod(row[3]), prediction["probability"].get<double>(), 1e-6);
  }
  ASSERT_EQ(Lines(text).size(), 2U);
  EXPECT_TRUE(
      Lines(text)[0].starts_with("pictures/blue/03.png:  " + json[0]["predictions"][0]["class"].get<std::string>()))
      << text;
}

TEST_F(PredictTest, UnreadableFilesAmongGoodOnes) {
  WriteText(at("notes.jpg"), "milk, eggs\n");
  WriteText(at("bomb.png"), PngHeaderOnly(60000, 60000));
  const std::string list = "pictures/red/00.png\nnotes.jpg\nmissing.png\nbomb.png\npictures/blue/00.png\n";
  const Outcome json = Spotter({"predict", "run", "--json", "-"}, list);
  EXPECT_EQ(json.code, 3);
  const Json answers = Json::parse(json.out);
  ASSERT_EQ(answers.size(), 5U);
  for (const size_t i : {0, 4}) EXPECT_EQ(answers[i]["predictions"].size(), 3U);
  for (const size_t i : {1, 2, 3}) EXPECT_TRUE(answers[i].contains("error")) << answers[i];
  EXPECT_LT(json.peak_kilobytes, 1 << 20);

  const Outcome text = Spotter({"predict", "run", "-"}, list);
  EXPECT_EQ(text.code, 3);
  EXPECT_EQ(Lines(text.out).size(), 2U) << text.out;
  const auto complaints = Lines(text.err);
  ASSERT_EQ(complaints.size(), 3U);
  for (const std::string& line : complaints) EXPECT_TRUE(line.starts_with("error: '")) << line;
}

TEST_F(PredictTest, TheSameAnswersAsTheEvaluation) {
  Table rows = ReadCsv(ReadText(at("run/predictions.csv")));
  rows.erase(rows.begin());
  Words files;
  for (const Words& row : rows) files.push_back("pictures/" + row[0]);
  const Json answers = SucceedWithJson(Words{"predict", "run", "--json", "--threads", "1"} + files);
  ASSERT_EQ(answers.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(answers[i]["predictions"][0]["class"], rows[i][2]) << files[i];
    EXPECT_NEAR(answers[i]["predictions"][0]["probability"].get<double>(), std::stod(rows[i][3]), 1e-4) << files[i];
    // The images that are predicted beside it change nothing that matters.
    if (i > 2) continue;
    const Json alone = SucceedWithJson({"predict", "run", "--json", "--threads", "1", files[i]});
    EXPECT_NEAR(alone[0]["predictions"][0]["probability"].get<double>(), std::stod(rows[i][3]), 1e-4) << files[i];
  }
}

TEST_F(PredictTest, OddClassNamesSurvive) {
  const Words classes = {"<img onerror=x>", "a,b", "naïve 猫", "say \"hi\"", "two\nlines"};
  MakeImageFolder(at("odd"), {.classes = classes, .each = 10});
  Succeed(Train("odd", {"--output", "odd-run", "--quiet"}));
  std::set<std::string> wanted(classes.begin(), classes.end());

  const Json answer = SucceedWithJson({"predict", "odd-run", "--json", "odd/a,b/00.png", "--top", "5"});
  EXPECT_EQ(answer[0]["file"], "odd/a,b/00.png");
  std::set<std::string> found;
  for (const Json& prediction : answer[0]["predictions"]) found.insert(prediction["class"]);
  EXPECT_EQ(found, wanted);

  found.clear();
  for (const Words& row :
       ReadCsv(Succeed({"predict", "odd-run", "--format", "csv", "odd/a,b/00.png", "--top", "5"}).out))
    found.insert(row.at(2));
  found.erase("class");
  EXPECT_EQ(found, wanted);

  const Table matrix = ReadCsv(ReadText(at("odd-run/confusion_matrix.csv")));
  for (size_t c = 0; c < classes.size(); ++c) EXPECT_TRUE(wanted.contains(matrix[0][1 + c])) << matrix[0][1 + c];
  for (const Words& row : ReadCsv(ReadText(at("odd-run/predictions.csv")))) {
    ASSERT_EQ(row.size(), 5U);
    if (row[0] != "file") EXPECT_TRUE(row[0].starts_with(row[1] + "/")) << row[0];
  }
  const Json data = SucceedWithJson({"data", "odd", "--json"});
  EXPECT_EQ(std::set<std::string>(data["classes"].begin(), data["classes"].end()), wanted);
  for (const std::string& name : classes) EXPECT_TRUE(data["train"]["per_class"].contains(name)) << name;

  // On a terminal a name is one line, whatever is in it.
  EXPECT_EQ(Lines(Succeed({"predict", "odd-run", "odd/a,b/00.png", "--top", "5"}).out).size(), 1U);
}

}  // namespace
}  // namespace spotter
