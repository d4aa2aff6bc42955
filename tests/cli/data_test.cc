// SPDX-License-Identifier: Apache-2.0
// spotter data, models and recipes: what the program knows and what it sees in data; the cache; no network.
#include "cli/cli_test.h"

namespace spotter {
namespace {

using DataTest = CliTest;

TEST_F(DataTest, TheCatalog) {
  const std::string text = Succeed({"data"}).out;
  for (const char* part : {"cifar10", "fashion-mnist", "image folder"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST_F(DataTest, AnImageFolder) {
  MakeImageFolder(at("pictures"));
  const Json json = SucceedWithJson({"data", "pictures", "--json"});
  EXPECT_EQ(json["layout"], "image folder");
  EXPECT_EQ(json["images"], 120);
  EXPECT_EQ(json["classes"], Json({"blue", "green", "red"}));
  EXPECT_EQ(json["height"], 16);
  EXPECT_EQ(json["channels"], 3);
  EXPECT_EQ(json["train"]["images"], 97);  // 12 for the test, and of the 108 left 11 for validation
  EXPECT_EQ(json["test"]["per_class"], Json({{"blue", 4}, {"green", 4}, {"red", 4}}));
  EXPECT_EQ(SucceedWithJson({"data", "pictures", "--json", "--image-size", "8"})["width"], 8);
  EXPECT_NE(Succeed({"data", "pictures"}).out.find("120 images of 16 x 16 x 3"), std::string::npos);
}

TEST_F(DataTest, DividedData) {
  for (const char* part : {"train", "test"}) MakeImageFolder(at("pictures") / part, {.each = 10});
  const Json json = SucceedWithJson({"data", "pictures", "--json"});
  EXPECT_EQ(json["test"]["images"], 30);
  EXPECT_EQ(json["train"]["images"].get<int>() + json["validation"]["images"].get<int>(), 30);
}

TEST_F(DataTest, TheCache) {
  MakeImageFolder(at("pictures"), {.each = 10});
  const auto kept = [&] {
    return fs::exists(at("cache/decoded")) ? std::distance(fs::directory_iterator(at("cache/decoded")), {}) : 0;
  };
  Json first = SucceedWithJson({"data", "pictures", "--json", "--no-cache"});
  EXPECT_EQ(kept(), 0);
  SucceedWithJson({"data", "pictures", "--json"});
  EXPECT_EQ(kept(), 1);
  Json second = SucceedWithJson({"data", "pictures", "--json"});
  EXPECT_EQ(kept(), 1);
  for (Json* json : {&first, &second}) json->erase("load_seconds");
  EXPECT_EQ(first, second);
  // A new picture is seen, cache or not.
  WritePng(at("pictures/red/new.png"), 16, 16, std::vector<uint8_t>(16 * 16 * 3, 9));
  EXPECT_EQ(SucceedWithJson({"data", "pictures", "--json"})["images"], 31);
}

TEST_F(DataTest, TwoAtOnce) {
  MakeImageFolder(at("pictures"), {.each = 60});
  const Words command = {SPOTTER_BINARY, "data", "pictures", "--json"};
  Process first(command, Here());
  Process second(command, Here());
  Json results[] = {Json::parse(first.Wait().out), Json::parse(second.Wait().out),
                    SucceedWithJson({"data", "pictures", "--json"})};
  for (Json& result : results) result.erase("load_seconds");
  EXPECT_EQ(results[0]["images"], 180);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  for (const auto& entry : fs::directory_iterator(at("cache/decoded"))) {
    EXPECT_EQ(entry.path().extension(), ".spotter-images") << entry.path();
  }
}

TEST_F(DataTest, ACacheThatCannotBeWrittenIsOnlyAWarning) {
  MakeImageFolder(at("pictures"), {.each = 10});
  WriteText(at("cache"), "a file where the folder should be");
  const Outcome outcome = Succeed({"data", "pictures"});
  EXPECT_TRUE(outcome.err.starts_with("warning: ")) << outcome.err;
  EXPECT_EQ(Lines(outcome.err).size(), 1U);
}

TEST_F(DataTest, OfflineSaysWhereTheFileMayBePut) {
  const std::string line = Refuse(6, {"data", "cifar10"},
                                  {"https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "170.5 MB",
                                   at("cache/datasets/cifar10/cifar-10-python.tar.gz").string(), "SPOTTER_DATA"});
  size_t addresses = 0;
  for (size_t i = 0; (i = line.find("https://", i)) != std::string::npos; ++i) ++addresses;
  EXPECT_EQ(addresses, 3U) << line;
  Refuse(6, Train("cifar10"), {"cifar-10-python.tar.gz"});
  EXPECT_FALSE(fs::exists(at("runs")));
}

TEST_F(DataTest, SpotterDataNamesAFolder) {
  Surroundings here = Here();
  MakeImageFolder(at("sets/cifar10"), {.each = 5});
  here.environment["SPOTTER_DATA"] = at("sets").string();
  const Outcome outcome = RunCommand({SPOTTER_BINARY, "data", "cifar10", "--json"}, here);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  here.environment["SPOTTER_DATA"] = at("nowhere").string();
  ExpectRefusal(RunCommand({SPOTTER_BINARY, "data", "cifar10"}, here), 6, {"SPOTTER_DATA", "nowhere"});
  WriteText(at("sets/pictures.zip"), "x");
  here.environment["SPOTTER_DATA"] = at("sets/pictures.zip").string();
  ExpectRefusal(RunCommand({SPOTTER_BINARY, "data", "cifar10"}, here), 6,
                {"SPOTTER_DATA names the file", "pictures.zip", "cifar10-jpeg.tar.gz"});
}

// As after `cd pictures; spotter train .`: what Spotter has made there is none of the pictures.
TEST_F(DataTest, AFolderWithARunInIt) {
  MakeImageFolder(at("pictures"), {.each = 10});
  Surroundings inside = Here();
  inside.folder = at("pictures");
  const Json before = SucceedWithJson({"data", "pictures", "--json"});
  const Outcome trained = RunCommand(Words{SPOTTER_BINARY} + Train(".", {"--quiet"}), inside);
  ASSERT_EQ(trained.code, 0) << trained.err;
  ASSERT_TRUE(fs::exists(at("pictures/runs")));
  Json after = SucceedWithJson({"data", "pictures", "--json"});
  for (const char* key : {"images", "classes", "fingerprint"}) EXPECT_EQ(after[key], before[key]) << key;
}

TEST_F(DataTest, Models) {
  const std::string list = Succeed({"models"}).out;
  for (const char* part : {"seed-001", "504,266", "conv", "dense classes"})
    EXPECT_NE(list.find(part), std::string::npos) << part;
  EXPECT_EQ(SucceedWithJson({"models", "seed-001", "--json"})["parameters"], 504266);
  const Json own = SucceedWithJson(
      {"models", "conv 4 relu, flatten, dense classes", "--input", "8x8x1", "--classes", "2", "--json"});
  EXPECT_EQ(own["layers"].back()["output_shape"], Json::array({2}));
  Refuse(2, {"models", "seed-001", "--input", "0x3"}, {"--input 0x3"});
}

TEST_F(DataTest, Recipes) {
  const std::string list = Succeed({"recipes"}).out;
  for (const char* part : {"seed-000", "seed-003"}) EXPECT_NE(list.find(part), std::string::npos) << part;
  MakeImageFolder(at("pictures"), {.each = 10});
  for (const std::string name : {"default", "seed-001"}) {
    WriteText(at(name + ".toml"), Succeed({"recipes", name}).out);
    const Words train = {"train", "pictures", "--epochs", "1", "--quiet", "--model", "flatten, dense classes"};
    Succeed(train + Words{"--output", name + "-file", "--recipe", name + ".toml"});
    const Words by_name = name == "default" ? Words{} : Words{"--recipe", name};
    Succeed(train + Words{"--output", name + "-name"} + by_name);
    EXPECT_EQ(Differences(at(name + "-file/model.safetensors"), at(name + "-name/model.safetensors")), "");
  }
}

TEST_F(DataTest, EveryNamedRecipeIsAccepted) {
  MakeImageFolder(at("pictures"), {.each = 4, .side = 32});
  for (const std::string& line : Lines(Succeed({"recipes"}).out)) {
    if (line.empty()) break;
    const std::string name = line.substr(0, line.find(' '));
    Succeed({"train", "pictures", "--recipe", name, "--epochs", "1", "--quiet", "--output", name});
  }
}

}  // namespace
}  // namespace spotter
