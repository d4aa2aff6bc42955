// SPDX-License-Identifier: Apache-2.0
// Data and model files that are damaged, hostile or something else: one line, the right exit code, nothing left behind.
#include "cli/cli_test.h"

namespace spotter {
namespace {

class BadDataTest : public CliTest {
 protected:
  void ExpectBadData(const std::string& data, const Words& parts) const {
    Refuse(3, Train(data), parts);
    EXPECT_FALSE(fs::exists(at("runs"))) << "bad data left a run folder";
    Refuse(3, {"data", data}, parts);
  }
  void Tar(const Words& arguments) const { ASSERT_EQ(RunCommand(Words{"/bin/tar"} + arguments, Here()).code, 0); }
};

TEST_F(BadDataTest, EmptyFolder) {
  fs::create_directory(at("empty"));
  ExpectBadData("empty", {"'empty'", "class folders"});
}

TEST_F(BadDataTest, OneClass) {
  MakeImageFolder(at("one"), {.classes = {"cat"}, .each = 5});
  ExpectBadData("one", {"only one class, 'cat'"});
}

TEST_F(BadDataTest, LooseImages) {
  MakeImageFolder(at("all"), {.classes = {"loose"}, .each = 5});
  ExpectBadData("all/loose", {"no class folder", "00.png"});
}

TEST_F(BadDataTest, TruncatedArchive) {
  MakeImageFolder(at("pictures"), {.each = 10});
  Tar({"czf", "whole.tar.gz", "pictures"});
  Tar({"cf", "whole.tar", "pictures"});
  Succeed({"data", "whole.tar.gz"});
  for (const std::string name : {"whole.tar.gz", "whole.tar"}) {
    const std::string whole = ReadText(at(name));
    for (const double share : {0.001, 0.5, 0.9}) {
      WriteText(at("cut-" + name), whole.substr(0, static_cast<size_t>(share * static_cast<double>(whole.size()))));
      ExpectBadData("cut-" + name, {"'cut-" + name + "'"});
    }
  }
}

TEST_F(BadDataTest, PathsThatLeaveTheArchive) {
  MakeImageFolder(at("pictures"), {.each = 5});
  fs::create_directory(at("inside"));
  Surroundings inside = Here();
  inside.folder = at("inside");
  ASSERT_EQ(RunCommand({"/bin/tar", "cPf", "../evil.tar", "../pictures"}, inside).code, 0);
  ExpectBadData("evil.tar", {"'evil.tar'", "'../pictures", "leaves the archive"});
}

TEST_F(BadDataTest, HugeImageHeader) {
  MakeImageFolder(at("pictures"), {.each = 10});
  WriteText(at("pictures/red/bomb.png"), PngHeaderOnly(60000, 60000));
  const Outcome outcome = Spotter({"data", "pictures", "--strict"});
  ExpectRefusal(outcome, 3, {"bomb.png", "60000 x 60000"});
  EXPECT_LT(outcome.peak_kilobytes, 1 << 20);
  const Json json = SucceedWithJson({"data", "pictures", "--json"});
  ASSERT_EQ(json["skipped"].size(), 1U);
  EXPECT_EQ(json["skipped"][0]["file"], "red/bomb.png");
}

TEST_F(BadDataTest, TextNamedAsAnImageIsSkippedOrRefused) {
  MakeImageFolder(at("pictures"));
  WriteText(at("pictures/green/notes.jpg"), "milk, eggs\n");
  const Outcome outcome = Succeed(Train("pictures", {"--quiet", "--output", "run"}));
  EXPECT_NE(outcome.err.find("green/notes.jpg"), std::string::npos) << outcome.err;
  EXPECT_NE(Succeed({"data", "pictures"}).out.find("green/notes.jpg"), std::string::npos);
  Refuse(3, Train("pictures", {"--strict"}), {"green/notes.jpg", "not a JPEG, PNG or WebP image"});
  EXPECT_FALSE(fs::exists(at("runs")));
}

TEST_F(BadDataTest, NotAnArchive) {
  WriteText(at("letter.txt"), "Dear Sir or Madam\n");
  ExpectBadData("letter.txt", {"'letter.txt'", ".tar"});
}

TEST_F(BadDataTest, NoTrainingPart) {
  MakeImageFolder(at("pictures/test"), {.each = 5});
  ExpectBadData("pictures", {"'pictures' holds 'test' but no 'train'", "train/CLASS/"});
}

TEST_F(BadDataTest, ADownloadThatIsAnotherFile) {
  const std::string file = at("cache/datasets/cifar10/cifar-10-python.tar.gz").string();
  WriteText(file, "");
  fs::resize_file(file, 170498071);  // the right size; zeros
  for (const Words& arguments : {Words{"data", "cifar10"}, Train("cifar10")}) {
    Refuse(6, arguments, {"'" + file + "'", "its MD5 is ", "not c58f30108f718f92721af3b95e74349a", "remove it"});
  }
  fs::resize_file(file, 170498070);
  Refuse(6, {"data", "cifar10"}, {"'" + file + "'", "its size is 170,498,070 bytes, not 170,498,071", "remove it"});
  EXPECT_FALSE(fs::exists(at("runs")));
}

TEST_F(BadDataTest, ImagesTooSmallForTheModel) {
  MakeImageFolder(at("pictures"), {.each = 5, .side = 4});
  Refuse(2, {"train", "pictures", "--model", "conv 8 valid 7 relu, flatten, dense classes"},
         {"layer 1 'conv 8 valid 7 relu'", "7 x 7", "does not fit"});
  EXPECT_FALSE(fs::exists(at("runs")));
}

class BadModelTest : public CliTest {
 protected:
  void SetUp() override {
    MakeRun();
    whole_ = ReadText(at("run/model.safetensors"));
    std::memcpy(&header_bytes_, whole_.data(), sizeof header_bytes_);
    header_ = Json::parse(whole_.substr(8, header_bytes_));
  }
  void ExpectBadModel(const std::string& content, const Words& parts = {}) const {
    WriteText(at("bad.safetensors"), content);
    const Words named = parts + Words{"'bad.safetensors'"};
    Refuse(4, {"predict", "bad.safetensors", "pictures/red/00.png"}, named);
    Refuse(4, {"evaluate", "bad.safetensors", "pictures"}, named);
  }
  std::string WithHeader(const Json& header) const {
    const std::string text = header.dump();
    const uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + whole_.substr(8 + header_bytes_);
  }
  std::string whole_;
  uint64_t header_bytes_ = 0;
  Json header_;
};

TEST_F(BadModelTest, CutShort) {
  for (const size_t size : {size_t{0}, size_t{5}, size_t{200}, whole_.size() - 1})
    ExpectBadModel(whole_.substr(0, size));
}

TEST_F(BadModelTest, LyingOffsets) {
  for (const auto& [name, tensor] : header_.items()) {
    if (name == "__metadata__") continue;
    const auto end = tensor["data_offsets"][1].get<uint64_t>();
    for (const uint64_t lie : {end + 4, uint64_t{1} << 40, ~uint64_t{0}}) {
      Json header = header_;
      header[name]["data_offsets"][1] = lie;
      ExpectBadModel(WithHeader(header), {name});
    }
    return;  // one tensor will do
  }
}

TEST_F(BadModelTest, LyingHeaderLength) {
  std::string content = whole_;
  const uint64_t length = uint64_t{1} << 62;
  std::memcpy(content.data(), &length, sizeof length);
  ExpectBadModel(content, {"header"});
}

TEST_F(BadModelTest, DamagedDescription) {
  Json header = header_;
  header["__metadata__"]["spotter"] = "{\"version\": 1}";
  ExpectBadModel(WithHeader(header));
  header["__metadata__"].erase("spotter");
  ExpectBadModel(WithHeader(header), {"not a model"});
}

TEST_F(BadModelTest, SomethingElse) {
  ExpectBadModel("Dear Sir or Madam");
  ExpectBadModel(ReadText(at("pictures/red/00.png")));
  ExpectBadModel(ReadText(at("run/checkpoints/last.safetensors")), {"not a model"});
}

TEST_F(BadModelTest, DamagedCheckpointIsNotResumed) {
  fs::resize_file(at("run/checkpoints/last.safetensors"), 3000);
  Refuse(4, {"train", "--resume", "run", "--epochs", "3", "--quiet"}, {"last.safetensors"});
}

}  // namespace
}  // namespace spotter
