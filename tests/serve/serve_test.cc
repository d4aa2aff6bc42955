// SPDX-License-Identifier: Apache-2.0
// spotter serve as its clients meet it: the scripts beside this file, each with a service of its own.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class ServeTest : public CliTest {
 protected:
  void SetUp() override {
    if (!OraclePython()) GTEST_SKIP() << kNoOraclePython;
    MakeImageFolder(at("pictures"), {.each = 60, .side = 16});
    MakeImageFolder(at("few"), {.each = 5, .side = 40, .seed = 3});
  }
  void TrainBoth() const {
    Succeed(Train("pictures", {"--output", "run", "--quiet"}));
    Succeed(Train("pictures", {"--output", "other", "--quiet", "--seed", "2", "--epochs", "1"}));
  }
  void Check(const std::string& script, const Words& arguments) const {
    Surroundings here = Here();
    here.timeout_seconds = 240;
    const std::string path = (SourceFolder() / "tests" / "serve" / script).string();
    const Outcome outcome = RunCommand(Words{OraclePython()->string(), path, SPOTTER_BINARY} + arguments, here);
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  }
};

TEST_F(ServeTest, AnswersAsPredictDoes) {
  TrainBoth();
  Check("check_api.py", {"run", "other", "few"});
}

TEST_F(ServeTest, IsUnderstoodByTritonsClient) {
  TrainBoth();
  Succeed({"export", "run", "--onnx", "model.onnx"});
  Check("check_triton.py", {"run", "model.onnx", "few"});
}

TEST_F(ServeTest, KeepsItsDescription) {
  TrainBoth();
  Check("check_openapi.py", {"run"});
}

TEST_F(ServeTest, WithstandsAttacks) {
  TrainBoth();
  Check("check_attacks.py", {"run", "few"});
}

TEST_F(ServeTest, WithstandsLoad) {
  TrainBoth();
  Check("check_load.py", {"run", "other", "few"});
}

TEST_F(ServeTest, SpeaksHttps) {
  TrainBoth();
  Check("check_https.py", {"run"});
}

TEST_F(ServeTest, ThePage) {
  if (!Chromium()) GTEST_SKIP() << kNoChromium;
  TrainBoth();
  Check("check_page.py", {"run", "other", "few"});
}

// Every layer that there is, odd sizes, both kinds of views.
TEST_F(ServeTest, ThePageThatNeedsNoService) {
  if (!Chromium()) GTEST_SKIP() << kNoChromium;
  const char* const kNetworks[] = {
      "conv 6 3 stride 2 same gelu, avgpool 3 stride 2 same, conv 8 same nobias silu, globalmaxpool, dense classes",
      "conv 8 same, maxpool 3 stride 2 same, batchnorm, skip, conv 8 same elu, add, globalavgpool, dense 9 tanh, dense "
      "classes",
      "conv whitening 2 gelu, conv 16 relu, batchnorm, maxpool 2, flatten, dense 24 leakyrelu, dense classes",
  };
  const std::string policies[] = {"stretch", "crop", "pad"};
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(kNetworks[i]);
    fs::remove_all(at("run"));
    Succeed({"train", "pictures", "--model", kNetworks[i], "--threads", "1", "--epochs", "2", "--output", "run",
             "--quiet", "--resize", policies[i], "--views", i == 0 ? "6" : "2", "--views-below", i == 0 ? "0.6" : "1"});
    const Json json = SucceedWithJson({"export", "run", "--page", "page.html", "--json"})["exports"][0];
    EXPECT_LT(json["check"]["largest_logit_difference"], 0.02);
    Check("check_standalone.py", {"page.html", "run", "few"});
  }
}

TEST_F(ServeTest, MistakesAreTold) {
  Succeed(Train("pictures", {"--output", "run", "--quiet"}));
  WriteText(at("short"), "short\n");
  WriteText(at("no.pem"), "nothing");
  Refuse(2, {"serve", "nowhere"}, {"'nowhere'"});
  Refuse(2, {"serve", "run", "run"}, {"both be called 'run'", "NAME=run"});
  Refuse(2, {"serve", "a b=run"}, {"'a b'", "letters"});
  Refuse(2, {"serve", "run", "--host", "0.0.0.0"}, {"--token-file", "--open"});
  Refuse(2, {"serve", "run", "--host", "example.org"}, {"'example.org'", "127.0.0.1"});
  Refuse(2, {"serve", "run", "--port", "70000"}, {"--port", "65535"});
  Refuse(2, {"serve", "run", "--token-file", "short"}, {"'short'", "16"});
  Refuse(6, {"serve", "run", "--token-file", "nowhere"}, {"nowhere"});
  Refuse(2, {"serve", "run", "--certificate", "no.pem"}, {"--key"});
  Refuse(2, {"serve", "run", "--certificate", "no.pem", "--key", "no.pem"}, {"'no.pem'"});
  Refuse(2, {"serve", "pictures"}, {"'pictures'"});
}

}  // namespace
}  // namespace spotter
