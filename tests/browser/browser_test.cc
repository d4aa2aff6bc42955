// SPDX-License-Identifier: Apache-2.0
// The pages as their readers meet them: in Chromium, driven by the Python scripts beside this file.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class BrowserTest : public CliTest {
 protected:
  void SetUp() override {
    if (!OraclePython()) GTEST_SKIP() << kNoOraclePython;
    if (!Chromium()) GTEST_SKIP() << kNoChromium;
  }
  void Check(const std::string& script, const Words& arguments) const {
    Surroundings here = Here();
    here.timeout_seconds = 240;
    const std::string path = (SourceFolder() / "tests" / "browser" / script).string();
    const Outcome outcome = RunCommand(Words{OraclePython()->string(), path} + arguments, here);
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  }
};

TEST_F(BrowserTest, TheReportOfARunOnRealImages) {
  std::string data = "pictures";
  if (SharedData().empty()) {
    MakeImageFolder(at(data), {.each = 120});
  } else {
    data = (SharedData() / "cifar10-jpeg.tar.gz").string();
  }
  Surroundings patient = Here();
  patient.timeout_seconds = 200;  // an epoch of 45,000 images, beside other tests
  const Outcome trained = RunCommand(
      {SPOTTER_BINARY, "train", data, "--output", "run", "--recipe", "seed-001", "--epochs", "1", "--quiet"}, patient);
  ASSERT_EQ(trained.code, 0) << trained.err;
  Check("check_report.py", {"run"});
}

TEST_F(BrowserTest, NamesThatLookLikeMarkupAreText) {
  MakeImageFolder(at("pictures"), {.classes = {"<img src=x onerror=alert(1)>", "\"><svg onload=alert(2)>", "a&b'"}});
  Succeed(Train("pictures", {"--output", "run", "--quiet"}));
  Check("check_report.py", {"run"});
}

TEST_F(BrowserTest, TwoHundredClasses) {
  ImageFolder images{.classes = {}, .each = 6, .side = 8};
  for (int c = 0; c < 200; ++c) images.classes.push_back("class " + std::to_string(c));
  MakeImageFolder(at("pictures"), images);
  Succeed(Train("pictures", {"--output", "run", "--quiet"}));
  Check("check_report.py", {"run"});
}

TEST_F(BrowserTest, AThousandEpochs) {
  MakeImageFolder(at("pictures"), {.classes = {"green", "red"}, .each = 10, .side = 8});
  Succeed({"train", "pictures", "--output", "run", "--quiet", "--epochs", "1000", "--threads", "1", "--model",
           "conv 2 relu, flatten, dense classes"});
  Check("check_report.py", {"run"});
}

TEST_F(BrowserTest, ThePageOfARunThatTrains) {
  MakeImageFolder(at("pictures"), {.each = 200, .side = 32});
  Check("check_live.py", {SPOTTER_BINARY, "pictures", "run", "--epochs", "12", "--recipe", "seed-001", "--early-stopping", "0"});
}

TEST_F(BrowserTest, TheComparisonOfRuns) {
  MakeImageFolder(at("pictures"));
  Succeed(Train("pictures", {"--output", "first", "--quiet"}));
  Succeed(Train("pictures", {"--output", "second", "--quiet", "--learning-rate", "0.01"}));
  Succeed({"report", "first", "second", "--output", "both.html"});
  Check("check_comparison.py", {"both.html", "first", "second"});
}

}  // namespace
}  // namespace spotter
