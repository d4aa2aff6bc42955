// SPDX-License-Identifier: Apache-2.0
// What a run leaves to look at, and the commands that make more of it: report, explain, train --seeds.
#include <csignal>

#include "cli/cli_test.h"

namespace spotter {
namespace {

class ReportTest : public CliTest {
 protected:
  static bool IsPng(const std::string& bytes) { return bytes.starts_with("\x89PNG\r\n"); }
  Json Metrics(const std::string& run = "run") const { return Json::parse(ReadText(at(run) / "metrics.json")); }
};

TEST_F(ReportTest, EveryRunHasItsPageAndPictures) {
  MakeRun();
  const std::string page = ReadText(at("run/report.html"));
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_LT(page.size(), 3'000'000U);
  for (const std::string name : {"loss", "accuracy", "learning_rate", "images_per_second", "confusion_matrix",
                                 "confusion_matrix_normalised", "reliability", "coverage", "mistakes", "unsure"}) {
    EXPECT_TRUE(ReadText(at("run/pictures") / (name + ".svg")).find("<svg") != std::string::npos) << name;
    EXPECT_TRUE(IsPng(ReadText(at("run/pictures") / (name + ".png")))) << name;
  }
}

TEST_F(ReportTest, TheReportCommandMakesTheSamePageAgain) {
  MakeRun();
  const std::string page = ReadText(at("run/report.html"));
  fs::remove(at("run/report.html"));
  fs::remove_all(at("run/pictures"));
  Succeed({"report", "run"});
  EXPECT_EQ(ReadText(at("run/report.html")), page);
  EXPECT_TRUE(fs::exists(at("run/pictures/loss.png")));
  Succeed({"report", "run", "--output", "elsewhere.html"});
  EXPECT_EQ(ReadText(at("elsewhere.html")), page);
}

TEST_F(ReportTest, RefusesWhatItCantShow) {
  MakeRun();
  WriteText(at("mine.html"), "<p>mine</p>");
  Refuse(2, {"report", "run", "--output", "mine.html"}, {"'mine.html' exists already"});
  EXPECT_EQ(ReadText(at("mine.html")), "<p>mine</p>");
  Refuse(2, {"report", "run", "pictures"}, {"'pictures' is no run"});
  fs::rename(at("pictures"), at("moved"));
  Refuse(3, {"report", "run"}, {"spotter report run --data DATA"});
  Succeed({"report", "run", "--data", "moved"});
  fs::remove(at("moved/red/00.png"));
  Refuse(3, {"report", "run", "--data", "moved"}, {"has changed since the run"});
}

TEST_F(ReportTest, RunsThatHaveNotFinishedAreNotCompared) {
  MakeRun();
  fs::copy(at("run"), at("other"), fs::copy_options::recursive);
  fs::remove(at("other/metrics.json"));
  Refuse(2, {"report", "run", "other"}, {"'other' has not finished", "--resume other"});
  EXPECT_FALSE(fs::exists(at("comparison.html")));
}

TEST_F(ReportTest, TensorBoardReadsTheHistory) {
  if (!OraclePython()) GTEST_SKIP() << kNoOraclePython;
  MakeRun();
  Succeed({"train", "--resume", "run", "--epochs", "4", "--quiet"});
  // And again, as if it had been killed when all its epochs were done.
  Json record = Json::parse(ReadText(at("run/run.json")));
  record["status"] = "started";
  WriteText(at("run/run.json"), record.dump());
  Succeed({"train", "--resume", "run", "--quiet"});
  const Json history = Metrics()["history"];
  ASSERT_EQ(history.size(), 4U);
  for (const auto& [part, key] : {std::pair{"train", "train_loss"}, {"validation", "validation_loss"}}) {
    const Words command = {OraclePython()->string(), (SourceFolder() / "tests/support/read_event_files.py").string(),
                           (at("run/tensorboard") / part).string()};
    const Outcome outcome = RunCommand(command, {.folder = folder()});  // no proxy: TensorBoard asks its own server
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Json entries = Json::parse(outcome.out)["accumulator"]["scalars"]["epoch_loss"];
    ASSERT_EQ(entries.size(), 4U) << outcome.out;
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(entries[i][1], i);
      EXPECT_FLOAT_EQ(entries[i][2].get<float>(), history[i][key].get<float>());
    }
  }
}

TEST_F(ReportTest, SeedsGiveMeanAndSpread) {
  MakeImageFolder(at("pictures"));
  const Outcome outcome = Succeed(Train("pictures", {"--output", "series", "--quiet", "--seeds", "3", "--seed", "5"}));
  const Json record = Json::parse(ReadText(at("series/seeds.json")));
  double mean = 0;
  for (int seed = 5; seed < 8; ++seed) {
    const Json metrics = Metrics("series/seed-" + std::to_string(seed));
    EXPECT_EQ(record["accuracy"]["values"][static_cast<size_t>(seed - 5)], metrics["test"]["accuracy"]);
    mean += metrics["test"]["accuracy"].get<double>() / 3;
  }
  EXPECT_NEAR(record["accuracy"]["mean"].get<double>(), mean, 1e-12);
  EXPECT_NE(outcome.out.find("over 3 seeds"), std::string::npos) << outcome.out;
  EXPECT_TRUE(fs::exists(at("series/report.html")));
  Refuse(2, Train("pictures", {"--output", "series", "--seeds", "2"}), {"'series' exists already"});
}

TEST_F(ReportTest, ASeriesThatIsStoppedGoesOn) {
  MakeImageFolder(at("pictures"));
  Process process(
      Words{SPOTTER_BINARY} + Train("pictures", {"--output", "series", "--quiet", "--seeds", "3", "--epochs", "40"}),
      Here());
  while (process.Running() && !fs::exists(at("series/seed-1/metrics.csv")))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.Signal(SIGINT);
  const Outcome stopped = process.Wait();
  ASSERT_EQ(stopped.code, 75) << stopped.err;
  EXPECT_NE(stopped.err.find("spotter train --resume series"), std::string::npos) << stopped.err;
  EXPECT_FALSE(fs::exists(at("series/report.html")));
  const auto first = fs::last_write_time(at("series/seed-0/model.safetensors"));
  Succeed({"train", "--resume", "series", "--quiet"});
  EXPECT_EQ(fs::last_write_time(at("series/seed-0/model.safetensors")), first) << "it had finished";
  EXPECT_EQ(Json::parse(ReadText(at("series/seeds.json")))["accuracy"]["values"].size(), 3U);
}

TEST_F(ReportTest, AStoppedRunHasAPageButNoComparison) {
  MakeImageFolder(at("pictures"));
  Process process(Words{SPOTTER_BINARY} + Train("pictures", {"--output", "run", "--quiet", "--epochs", "3000"}),
                  Here());
  while (process.Running() && !fs::exists(at("run/metrics.csv")))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.Signal(SIGTERM);
  ASSERT_EQ(process.Wait().code, 75);
  EXPECT_NE(ReadText(at("run/report.html")).find("stopped"), std::string::npos);
  Refuse(2, {"report", "run"}, {"has not finished", "--resume run"});
}

TEST_F(ReportTest, ARunThatFailedHasAPageToo) {
  MakeImageFolder(at("pictures"));
  const Outcome outcome = Spotter(Train("pictures", {"--output", "run", "--quiet", "--optimizer", "sgd", "--precision",
                                                     "fp32", "--learning-rate", "1000", "--epochs", "50"}));
  ASSERT_EQ(outcome.code, 5) << outcome.err;
  EXPECT_NE(ReadText(at("run/report.html")).find("failed"), std::string::npos);
}

// Names of files may be the same where the pictures are not.
TEST_F(ReportTest, OtherPicturesOfTheSameNamesAreNotCompared) {
  MakeRun();
  MakeImageFolder(at("others"), {.seed = 2});
  Succeed(Train("others", {"--output", "second", "--quiet"}));
  const Outcome outcome = Succeed({"report", "run", "second"});
  EXPECT_NE(outcome.out.find("not evaluated on the same images"), std::string::npos) << outcome.out;
}

TEST_F(ReportTest, RunsOfOneNameAreToldApart) {
  MakeRun();
  Succeed(Train("pictures", {"--output", "deep/run", "--quiet", "--seed", "1"}));
  EXPECT_NE(Succeed({"report", "run", "deep/run"}).out.find("deep/run"), std::string::npos);
}

TEST_F(ReportTest, FlagsWithoutMeaningAreRefused) {
  MakeRun();
  Refuse(2, {"train", "--resume", "run", "--seeds", "3"}, {"--seeds begins a new series"});
  Refuse(2, Train("pictures", {"--seeds", "3", "--live"}), {"--live shows one run"});
  Refuse(2, {"report", "run", "run", "--data", "pictures"}, {"--data is for the report of one run"});
}

TEST_F(ReportTest, ExplainWritesAPicture) {
  MakeRun();
  const Outcome outcome = Succeed({"explain", "run", "pictures/red/00.png", "--output", "why.png"});
  EXPECT_TRUE(IsPng(ReadText(at("why.png"))));
  EXPECT_NE(outcome.out.find("why.png"), std::string::npos);
  Refuse(2, {"explain", "run", "pictures/red/00.png", "--output", "why.png"}, {"'why.png' exists already"});
  Refuse(2, {"explain", "run", "pictures/red/00.png", "--class", "rad"}, {"no class 'rad'", "did you mean 'red'?"});
  Succeed({"explain", "run", "pictures/red/00.png", "--class", "blue", "--method", "gradcam"});
  EXPECT_TRUE(fs::exists(at("00-explained.png")));
  fs::create_directory(at("why"));
  Succeed({"explain", "run", "pictures/red/00.png", "--output", "why"});
  EXPECT_TRUE(fs::exists(at("why/00-explained.png")));
  Refuse(2, {"explain", "run", "pictures/red/01.png", "pictures/blue/01.png"},
         {"two of the images", "01-explained.png"});
  EXPECT_FALSE(fs::exists(at("01-explained.png")));
  WriteText(at("text.jpg"), "no image");
  Refuse(3, {"explain", "run", "text.jpg"}, {"'text.jpg'"});
}

TEST_F(ReportTest, ARunThatLearnsNothingIsTold) {
  MakeImageFolder(at("pictures"), {.tint = 0});
  const Outcome outcome = Succeed(Train("pictures", {"--output", "run", "--epochs", "4", "--learning-rate", "1e-9"}));
  EXPECT_NE(outcome.err.find("the network learns nothing; try --learning-rate"), std::string::npos) << outcome.err;
  EXPECT_NE(ReadText(at("run/report.html")).find("Is it learning?"), std::string::npos);
}

TEST_F(ReportTest, ThePortOfALivePageMustBeFree) {
  MakeImageFolder(at("pictures"), {.each = 300});
  Process first(Words{SPOTTER_BINARY} +
                    Train("pictures", {"--output", "first", "--quiet", "--live-port", "18231", "--epochs", "500"}),
                Here());
  while (first.Running() && !fs::exists(at("first/metrics.csv")))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  Refuse(2, Train("pictures", {"--output", "second", "--quiet", "--live-port", "18231"}), {"18231"});
  EXPECT_FALSE(fs::exists(at("second")));
  first.Signal(SIGTERM);
  EXPECT_EQ(first.Wait().code, 75);
}

}  // namespace
}  // namespace spotter
