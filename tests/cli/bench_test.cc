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

TEST_F(BenchTest, TrainPrintsALineARecipe) {
  const Outcome outcome = Succeed({"bench", "train", "--recipe", "seed-001", "seed-004", "--steps", "2", "--batch-size",
                                   "4", "--threads", "1", "--json"});
  const auto lines = Lines(outcome.out);
  ASSERT_EQ(lines.size(), 2U) << outcome.out;
  EXPECT_EQ(Json::parse(lines[0])["recipe"], "seed-001");
  EXPECT_EQ(Json::parse(lines[1])["recipe"], "seed-004");
}

TEST_F(BenchTest, TrainShowsItsProfile) {
  const Outcome outcome =
      Succeed({"bench", "train", "--recipe", "seed-001", "--steps", "2", "--batch-size", "4", "--profile"});
  for (const char* phase : {"forward", "backward", "optimizer", "images gathered and augmented"})
    EXPECT_NE(outcome.err.find(phase), std::string::npos) << phase << "\n" << outcome.err;
  EXPECT_NE(outcome.out.find("seed-001"), std::string::npos) << outcome.out;
}

TEST_F(BenchTest, Peak) {
  const Json json = SucceedWithJson({"bench", "peak", "--threads", "1", "--json"});
  EXPECT_EQ(json["threads"], 1);
  for (const char* name : {"fp32_gflops", "memory_gb_per_second"}) {
    EXPECT_GT(json[name].get<double>(), 0) << name;
    EXPECT_LE(json[std::string(name) + "_p10"], json[name]) << name;
    EXPECT_GE(json[std::string(name) + "_p90"], json[name]) << name;
  }
  EXPECT_TRUE(json.contains("bf16_gflops"));
  EXPECT_TRUE(json["host"].contains("cpu"));
  EXPECT_NE(Succeed({"bench", "peak"}).out.find("fp32 multiply-adds"), std::string::npos);
}

TEST_F(BenchTest, ProcessorIsLimitedByTheEnvironment) {
  const auto peak = [&](const char* limit) {
    Surroundings here = Here();
    here.environment["SPOTTER_CPU"] = limit;
    return RunCommand(Words{SPOTTER_BINARY, "bench", "peak", "--threads", "1"}, here);
  };
  EXPECT_EQ(peak("plain").out.find("bf16"), std::string::npos);
  const Outcome avx512 = peak("avx512");
  EXPECT_EQ(avx512.code, 0) << avx512.err;
  EXPECT_EQ(avx512.out.find("AMX"), std::string::npos) << avx512.out;
  ExpectRefusal(peak("avx-512"), 2, {"SPOTTER_CPU", "'avx-512'", "expected avx512"});
}

/// Where our kernels run, `bench peak` knows bf16.
TEST_F(BenchTest, Kernels) {
  WriteText(at("small.toml"),
            "model = \"conv 8 relu, maxpool 2, conv 16 same relu, maxpool 2, flatten, dense classes\"\n");
  const Words kernels = {"bench", "kernels", "--recipe", "small.toml", "--batch-size", "4"};
  if (SucceedWithJson({"bench", "peak", "--json"})["bf16_gflops"].is_null()) {
    Refuse(2, kernels, {"AVX-512 bf16", "spotter bench train"});
    return;
  }
  const Json json = SucceedWithJson(kernels + Words{"--json"});
  EXPECT_GT(json["peak"]["bf16_gflops"].get<double>(), 0);
  ASSERT_EQ(json["kernels"].size(), 11U) << json;
  bool found = false;
  for (const Json& kernel : json["kernels"]) {
    for (const char* key :
         {"ms", "ms_p10", "ms_p90", "libtorch_ms", "ratio", "ratio_p10", "ratio_p90", "share_of_peak"})
      EXPECT_GT(kernel[key].get<double>(), 0) << key << kernel;
    EXPECT_EQ(kernel["images"], 4);
    for (const char* error : {"error", "libtorch_error"}) {
      EXPECT_GE(kernel[error].get<double>(), 0) << error << kernel;
      EXPECT_LT(kernel[error].get<double>(), 0.01) << error << kernel;
    }
    EXPECT_GE(kernel["n"], 5);
    if (kernel["kernel"] != "conv + bias + relu") continue;
    found = true;
    EXPECT_EQ(kernel["shape"], "15x15x8 -> 16, 3x3 same, pool");
    // Two a multiply-add of the 14 x 14 outputs that the pool keeps.
    EXPECT_NEAR(kernel["gflops"].get<double>() * kernel["ms"].get<double>(), 2e-6 * 4 * 14 * 14 * 9 * 8 * 16, 1e-9);
  }
  EXPECT_TRUE(found) << json;
  const std::string table = Succeed(kernels).out;
  EXPECT_NE(table.find("conv, weight gradient"), std::string::npos) << table;
}

TEST_F(BenchTest, InferenceOfARecipeAndOfARun) {
  const Json recipe = SucceedWithJson({"bench", "inference", "--recipe", "seed-001", "--batch-size", "3", "--batches",
                                       "2", "--threads", "1", "--json"});
  EXPECT_EQ(recipe["recipe"], "seed-001");
  EXPECT_EQ(recipe["batch_size"], 3);
  EXPECT_EQ(recipe["batches"], 2);
  EXPECT_GT(recipe["images_per_second"].get<double>(), 0);
  EXPECT_GT(recipe["batch_ms"].get<double>(), 0);
  MakeRun();
  const Json run =
      SucceedWithJson({"bench", "inference", "--model", "run", "--batch-size", "2", "--batches", "2", "--json"});
  EXPECT_EQ(run["model"], "run");
  EXPECT_GT(run["images_per_second"].get<double>(), 0);
}

/// All in one, of a network small enough for a test.
TEST_F(BenchTest, WithoutAPartItMeasuresAll) {
  WriteText(at("small.toml"), "batch-size = 4\nmodel = \"conv 8 relu, maxpool 2, flatten, dense classes\"\n");
  const Words bench = {"bench", "--recipe", "small.toml", "--threads", "1"};
  const Json json = SucceedWithJson(bench + Words{"--json"});
  EXPECT_GT(json["peak"]["fp32_gflops"].get<double>(), 0);
  EXPECT_EQ(json["kernels"].empty(), json["peak"]["bf16_gflops"].is_null());
  for (const char* part : {"train", "inference"}) {
    ASSERT_EQ(json[part].size(), 1U) << json;
    EXPECT_EQ(json[part][0]["recipe"], "small.toml");
    EXPECT_GT(json[part][0]["images_per_second"].get<double>(), 0);
    EXPECT_GE(json[part][0]["n"], 3);
  }
  const std::string table = Succeed(bench).out;
  for (const char* part : {"Peak of 1 thread", "Training", "Inference", "small.toml"})
    EXPECT_NE(table.find(part), std::string::npos) << part << "\n" << table;
}

TEST_F(BenchTest, AllRecipesHaveARow) {
  const std::string table = Succeed({"bench", "train", "--recipe", "all", "--steps", "1", "--batch-size", "2"}).out;
  for (const std::string& line : Lines(Succeed({"recipes"}).out)) {
    const std::string name = line.substr(0, line.find(' '));
    if (name.starts_with("s")) EXPECT_NE(table.find("\n" + name + " "), std::string::npos) << name << "\n" << table;
  }
}

TEST_F(BenchTest, MistakesAreRefused) {
  Refuse(2, {"bench", "train", "--epochs", "3"}, {"'--epochs'"});
  Refuse(2, {"bench", "train", "--recipe", "seed-999"}, {"'seed-999'", "seed-001"});
  Refuse(2, {"bench", "train", "--recipe", "seed-001", "seed-999"}, {"'seed-999'"});
  Refuse(2, {"bench", "inference", "--recipe", "seed-001", "--model", "run"}, {"--model and --recipe"});
  Refuse(2, {"bench", "inference", "--model", "nowhere"}, {"'nowhere' does not exist"});
  Refuse(2, {"bench", "--recipe", "seed-999"}, {"'seed-999'"});
  Refuse(2, {"bench", "inference", "--batch-size", "0"}, {"--batch-size"});
  Refuse(2, {"bench", "peak", "--threads", "x"}, {"--threads x"});
  Refuse(2, {"bench", "kernels", "--epochs", "3"}, {"'--epochs'"});
  Refuse(2, {"bench", "--recipe", "seed-001", "train"},
         {"--recipe stands before 'train'", "spotter bench train --recipe"});
  Refuse(2, {"bench", "--threads", "1", "peak"}, {"--threads stands before 'peak'"});
  Refuse(2, {"bench", "inference", "--model", "run", "--image-size", "40"}, {"--image-size goes with --recipe"});
  // Behind a warning, where the machine is busy.
  const Outcome huge = Spotter({"bench", "train", "--batch-size", "1000000", "--image-size", "1024"});
  EXPECT_EQ(huge.code, 2);
  EXPECT_NE(huge.err.find("error: batches of 1000000 images"), std::string::npos) << huge.err;
}

}  // namespace
}  // namespace spotter
