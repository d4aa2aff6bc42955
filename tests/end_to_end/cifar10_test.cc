// SPDX-License-Identifier: Apache-2.0
// The main job on real photographs: CIFAR-10 in, a classifier out. Skipped where the images are not at hand.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class Cifar10Test : public CliTest {
 protected:
  void SetUp() override {
    if (SharedData().empty()) GTEST_SKIP() << "cifar10-jpeg.tar.gz is not in ../shared/data";
    archive_ = (SharedData() / "cifar10-jpeg.tar.gz").string();
  }
  std::string archive_;
};

TEST_F(Cifar10Test, DataTrainEvaluate) {
  const Json data = SucceedWithJson({"data", archive_, "--json", "--validation-fraction", "0"});
  EXPECT_EQ(data["images"], 60000);
  ASSERT_EQ(data["classes"].size(), 10U);
  for (const auto& name : data["classes"]) {
    EXPECT_EQ(data["train"]["per_class"][name.get<std::string>()], 5000) << name;
    EXPECT_EQ(data["test"]["per_class"][name.get<std::string>()], 1000) << name;
  }

  Surroundings patient = Here();
  patient.timeout_seconds = 240;
  const Outcome outcome = RunCommand(
      {SPOTTER_BINARY, "train", archive_, "--recipe", "seed-001", "--epochs", "1", "--output", "run", "--json"},
      patient);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json result = Json::parse(Lines(outcome.out).back());
  EXPECT_GT(result["test"]["accuracy"].get<double>(), 0.45);

  const Json again = SucceedWithJson({"evaluate", "run", "--json"});
  const Json first = Json::parse(ReadText(at("run/metrics.json")))["test"];
  for (const char* key : {"accuracy", "loss", "per_class", "confusion_matrix"})
    EXPECT_EQ(again[key], first[key]) << key;
}

}  // namespace
}  // namespace spotter
