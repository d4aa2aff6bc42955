// SPDX-License-Identifier: Apache-2.0
// spotter export, and what other programs make of its files.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class ExportTest : public CliTest {
 protected:
  /// onnxruntime answers as the program does, of all these images.
  void ExpectOnnxruntimeToAgree(const std::string& run, const std::string& onnx, const std::string& images,
                                const Words& options = {}) const {
    if (!OraclePython()) GTEST_SKIP() << kNoOraclePython;
    const Outcome answers = Succeed({"predict", run, images, "--json", "--top", "1000", "--precision", "fp32"});
    WriteText(at("answers.json"), answers.out);
    const std::string script = (SourceFolder() / "tests" / "export" / "check_onnx.py").string();
    Surroundings here = Here();
    here.timeout_seconds = 240;
    const Outcome outcome = RunCommand(Words{OraclePython()->string(), script, onnx, "answers.json"} + options, here);
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  }
};

TEST_F(ExportTest, OnnxFileIsComparedWithTheModel) {
  MakeRun();
  const Json json = SucceedWithJson({"export", "run", "--onnx", "model.onnx", "--json"})["exports"][0];
  EXPECT_EQ(json["file"], "model.onnx");
  EXPECT_EQ(json["bytes"], fs::file_size(at("model.onnx")));
  EXPECT_EQ(json["check"]["images"], 12);  // the run's test images
  EXPECT_EQ(json["check"]["same_top1"], 12);
  EXPECT_LT(json["check"]["largest_logit_difference"], 1e-4);
  EXPECT_EQ(json["check"]["model_accuracy"], json["check"]["exported_accuracy"]);
  MakeImageFolder(at("others"), {.seed = 2});
  const Outcome text = Succeed({"export", "run", "others", "--onnx", "model.onnx", "--check", "50"});
  EXPECT_NE(text.out.find("compared on 50 images: the same class for all"), std::string::npos) << text.out;
}

TEST_F(ExportTest, OnnxruntimeAnswersAsSpotterDoes) {
  MakeImageFolder(at("pictures"), {.each = 60, .side = 16});
  MakeImageFolder(at("others"), {.each = 5, .side = 37});
  for (const std::string resize : {"stretch", "crop", "pad"}) {
    SCOPED_TRACE(resize);
    Succeed(Train("pictures", {"--output", "run-" + resize, "--quiet", "--resize", resize, "--views", "6",
                               "--views-below", "0.7"}));
    Succeed({"export", "run-" + resize, "--onnx", "model.onnx"});
    ExpectOnnxruntimeToAgree("run-" + resize, "model.onnx", "pictures");
  }
}

// Everything that the layer language has, through the checker and onnxruntime.
TEST_F(ExportTest, OnnxruntimeKnowsEveryLayer) {
  MakeImageFolder(at("pictures"), {.each = 30, .side = 14});
  const char* const kNetworks[] = {
      "conv 4 5x3 stride 2 same gelu, avgpool 3 stride 2 same, conv 3 same nobias silu, globalmaxpool, dense classes "
      "nobias",
      "conv 8 same, maxpool 3 stride 2 same, batchnorm noscale, scale 0.3, skip, conv 8 same elu, skip, leakyrelu, "
      "conv 8 1 "
      "same, add, add, dropout 0.5, avgpool 2, globalavgpool, batchnorm epsilon 0.1, dense 9 tanh, dense 5 sigmoid, "
      "dense classes",
      "conv whitening 2 gelu, conv 8 dirac relu, maxpool 2, flatten, dense classes",
  };
  for (const std::string network : kNetworks) {
    SCOPED_TRACE(network);
    fs::remove_all(at("run"));
    Succeed({"train", "pictures", "--model", network, "--threads", "1", "--epochs", "2", "--output", "run", "--quiet"});
    Succeed({"export", "run", "--onnx", "model.onnx"});
    ExpectOnnxruntimeToAgree("run", "model.onnx", "pictures");
  }
}

// All 10,000 test images of CIFAR-10, where they are at hand.
TEST_F(ExportTest, OnnxruntimeAgreesOnCifar10) {
  if (SharedData().empty()) GTEST_SKIP() << "../shared/data is not there";
  const std::string archive = (SharedData() / "cifar10-jpeg.tar.gz").string();
  const Outcome unpacked = RunCommand({"/bin/sh", "-c", "tar xzf '" + archive + "' --wildcards '*/test/*'"}, Here());
  ASSERT_EQ(unpacked.code, 0) << unpacked.err;
  Surroundings patient = Here();
  patient.timeout_seconds = 200;
  const Outcome trained = RunCommand({SPOTTER_BINARY, "train", "cifar10-jpeg/test", "--output", "run", "--recipe",
                                      "seed-003", "--epochs", "1", "--quiet"},
                                     patient);
  ASSERT_EQ(trained.code, 0) << trained.err;
  Succeed({"export", "run", "--onnx", "model.onnx"});
  ExpectOnnxruntimeToAgree("run", "model.onnx", "cifar10-jpeg/test");
}

TEST_F(ExportTest, Int8SaysWhatItCosts) {
  MakeImageFolder(at("pictures"), {.each = 200, .side = 16});
  Succeed({"train", "pictures", "--model",
           "conv 16 same relu, batchnorm, maxpool 2, conv 16 relu, flatten, dense 32 relu, dense classes", "--threads",
           "1", "--epochs", "6", "--output", "run", "--quiet"});
  const Json json = SucceedWithJson({"export", "run", "--onnx", "model.onnx", "--int8", "--json"})["exports"][0];
  EXPECT_LT(json["bytes"].get<double>(), 0.4 * static_cast<double>(fs::file_size(at("run/model.safetensors"))));
  EXPECT_GT(json["check"]["largest_logit_difference"], 1e-4);
  EXPECT_NEAR(json["check"]["model_accuracy"].get<double>(), json["check"]["exported_accuracy"].get<double>(), 0.05);
  ExpectOnnxruntimeToAgree("run", "model.onnx", "pictures", {"--same", "0.95"});
}

TEST_F(ExportTest, SafetensorsIsAModelFile) {
  MakeRun();
  const Json json = SucceedWithJson({"export", "run", "--safetensors", "copy.safetensors", "--json"})["exports"][0];
  EXPECT_EQ(json["format"], "safetensors");
  EXPECT_EQ(json["check"]["largest_logit_difference"], 0);
  EXPECT_EQ(Differences(at("copy.safetensors"), at("run/model.safetensors")), "");
  const Words image = {"pictures/red/00.png", "--json"};
  EXPECT_EQ(SucceedWithJson(Words{"predict", "copy.safetensors"} + image),
            SucceedWithJson(Words{"predict", "run"} + image));
}

TEST_F(ExportTest, MistakesAreToldAndNothingIsWritten) {
  MakeRun();
  fs::copy(at("run/model.safetensors"), at("model.safetensors"));
  Refuse(2, {"export", "run"}, {"--onnx FILE"});
  Refuse(2, {"export", "run", "--int8", "--safetensors", "x"}, {"--onnx FILE"});
  Refuse(2, {"export", "nowhere", "--onnx", "x.onnx"}, {"'nowhere'"});
  Refuse(2, {"export", "model.safetensors", "--onnx", "x.onnx"},
         {"without its run", "spotter export model.safetensors DATA", "--check 0"});
  Refuse(6, {"export", "run", "--onnx", "no/such/folder/x.onnx"}, {"no/such/folder"});
  EXPECT_FALSE(fs::exists(at("x.onnx")));
  EXPECT_NE(Succeed({"export", "model.safetensors", "--onnx", "y.onnx", "--check", "0"}).out.find("y.onnx"),
            std::string::npos);
}

}  // namespace
}  // namespace spotter
