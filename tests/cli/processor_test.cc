// SPDX-License-Identifier: Apache-2.0
// Spotter on processors without AVX-512 bf16, emulated by QEMU: what runs there is fp32, chosen without being asked.
#include "cli/cli_test.h"

namespace spotter {
namespace {

constexpr const char* kEmulator = "/usr/bin/qemu-x86_64";

/// The processor's name in QEMU: Haswell has AVX2, Nehalem no AVX at all.
class ProcessorTest : public CliTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "under the emulator a sanitizer's shadow memory takes all that the machine has";
#elif !defined(__x86_64__)
    GTEST_SKIP() << "the program is for another kind of processor than those emulated here";
#endif
    if (!fs::exists(kEmulator)) GTEST_SKIP() << "qemu-user is not installed (scripts/setup all)";
  }
  Outcome Emulated(const Words& arguments) const {
    Surroundings here = Here();
    here.timeout_seconds = 55;  // everything takes some twenty times as long
    Outcome outcome = RunCommand(Words{kEmulator, "-cpu", GetParam(), SPOTTER_BINARY} + arguments, here);
    EXPECT_FALSE(outcome.timed_out) << outcome.err;
    EXPECT_EQ(outcome.signal, 0) << outcome.err;
    return outcome;
  }
};

TEST_P(ProcessorTest, TrainsAndPredictsAsInFp32) {
  MakeImageFolder(at("pictures"), {.each = 10, .side = 8});
  const Words train = {
      "train",     "pictures", "--model",      "conv 8 same relu, batchnorm, maxpool 2, flatten, dense classes",
      "--threads", "1",        "--batch-size", "8",
      "--epochs",  "1",        "--quiet"};
  const Outcome trained = Emulated(train + Words{"--output", "emulated"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  Succeed(train + Words{"--output", "here", "--precision", "fp32"});
  const Json record = Json::parse(ReadText(at("emulated/run.json")));
  EXPECT_EQ(record["compute"]["precision"], "fp32");
  const auto loss = [&](const char* run) { return std::stod(ReadCsv(ReadText(at(run) / "metrics.csv")).at(1).at(1)); };
  EXPECT_NEAR(loss("emulated"), loss("here"), 1e-4 * loss("here"));
  const Words predict = {"predict", "emulated", "pictures/red/00.png", "--json"};
  const Outcome predicted = Emulated(predict);
  EXPECT_EQ(predicted.code, 0) << predicted.err;
  const auto first = [](const Outcome& outcome) { return Json::parse(outcome.out)[0]["predictions"][0]; };
  EXPECT_EQ(first(predicted)["class"], first(Succeed(predict))["class"]);
  EXPECT_NEAR(first(predicted)["probability"].get<double>(), first(Succeed(predict))["probability"].get<double>(),
              0.01);
}

TEST_P(ProcessorTest, SaysThatOurKernelsDontRunThere) {
  const Outcome outcome = Emulated({"bench", "kernels", "--recipe", "seed-001"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("AVX-512 bf16"), std::string::npos) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(WithoutBf16, ProcessorTest, testing::Values("Haswell", "Nehalem"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace spotter
