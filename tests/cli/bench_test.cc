// SPDX-License-Identifier: Apache-2.0
// spotter bench: what bench/train_vs_peers.py and other programs read.
#include "cli/cli_test.h"

namespace spotter {
namespace {

using BenchTest = CliTest;

TEST_F(BenchTest, TrainPrintsOneObject) {
  const Json json = SucceedWithJson({"bench", "train", "--recipe", "seed-001", "--steps", "3", "--batch-size", "8",
                                     "--threads", "1", "--precision", "fp32", "--json"});
  EXPECT_EQ(json["recipe"], "seed-001");
  EXPECT_EQ(json["batch_size"], 8);
  EXPECT_EQ(json["steps"], 3);
  EXPECT_EQ(json["threads"], 1);
  EXPECT_EQ(json["precision"], "fp32");
  EXPECT_GT(json["images_per_second"].get<double>(), 0);
  EXPECT_LE(json["images_per_second_p10"], json["images_per_second"]);
  EXPECT_GE(json["images_per_second_p90"], json["images_per_second"]);
  EXPECT_NEAR(json["step_ms"].get<double>(), 8e3 / json["images_per_second"].get<double>(), 1e-6);
}

TEST_F(BenchTest, FlagsThatChangeNoStepAreRefused) {
  Refuse(2, {"bench", "train", "--epochs", "3"}, {"'--epochs'"});
  Refuse(2, {"bench", "train", "--recipe", "seed-999"}, {"'seed-999'", "seed-001"});
}

}  // namespace
}  // namespace spotter
