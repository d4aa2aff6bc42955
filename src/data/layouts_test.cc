// SPDX-License-Identifier: Apache-2.0
// The official layouts of CIFAR-10 and IDX, packed or not, through LoadDataset; and what is wrong with broken ones.
#include <algorithm>
#include <tuple>

#include "data/archive.h"
#include "data/load.h"
#include "data/recognise.h"
#include "data/test_files.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

const LoadOptions kNoCache{.use_cache = false};

std::string LoadError(const fs::path& path) {
  return ErrorOf(ExitCode::kData, [&] { LoadDataset(path.string(), kNoCache); });
}

std::vector<uint8_t> Pixels(const Dataset& data) {
  return {data.pixels.get(), data.pixels.get() + data.size() * data.shape.size()};
}

NamedFiles Members(const std::string& fixture) {
  NamedFiles files;
  for (ArchiveReader reader(Fixture("data/" + fixture)); reader.Next();) {
    std::string bytes;
    reader.Read(1 << 30, &bytes);
    files.emplace_back(reader.name(), bytes);
  }
  return files;
}

TEST(CifarBinary, ReadsTheArchiveAndTheUnpackedFolder) {
  const Dataset data = LoadDataset(Fixture("data/cifar_binary.tar.gz").string(), kNoCache);
  EXPECT_EQ(data.layout, "CIFAR-10 binary");
  EXPECT_EQ(data.classes, (std::vector<std::string>{"circle", "slope", "wave"}));
  EXPECT_EQ(data.shape, (ImageShape{32, 32, 3}));
  ASSERT_EQ(data.size(), 36);
  EXPECT_EQ(std::count(data.parts.begin(), data.parts.end(), Part::kTrain), 30);
  EXPECT_EQ(data.parts.back(), Part::kTest);
  EXPECT_EQ(data.labels[0], 0);
  EXPECT_EQ(data.labels[7], 2);  // the second of data_batch_2
  EXPECT_EQ(data.names[29], "train/29");
  EXPECT_EQ(data.names[30], "test/0");

  const std::string record = Members("cifar_binary.tar.gz").at(1).second;  // data_batch_1.bin
  for (const int pixel : {0, 1, 500, 1023}) {
    for (int c = 0; c < 3; ++c) {
      EXPECT_EQ(data.image(0)[pixel * 3 + c], static_cast<uint8_t>(record[1 + c * 1024 + pixel]));
    }
  }
  const TemporaryFolder folder;
  WriteFolder(folder.path(), Members("cifar_binary.tar.gz"));
  for (const fs::path& path : {folder.path(), folder.path() / "cifar-10-batches-bin"}) {
    const Dataset unpacked = LoadDataset(path.string(), kNoCache);
    EXPECT_EQ(Pixels(unpacked), Pixels(data));
    EXPECT_EQ(unpacked.labels, data.labels);
  }
}

TEST(CifarPython, HoldsTheSameAsTheBinaryWhateverPythonWroteIt) {
  const Dataset binary = LoadDataset(Fixture("data/cifar_binary.tar.gz").string(), kNoCache);
  for (const char* name : {"cifar_python2.tar.gz", "cifar_python3_protocol2.tar.gz", "cifar_python3_protocol3.tar.gz",
                           "cifar_python3_protocol4.tar.gz"}) {
    const Dataset data = LoadDataset(Fixture(std::string("data/") + name).string(), kNoCache);
    EXPECT_EQ(data.layout, "CIFAR-10 python") << name;
    EXPECT_EQ(data.classes, binary.classes) << name;
    EXPECT_EQ(data.labels, binary.labels) << name;
    EXPECT_EQ(data.parts, binary.parts) << name;
    EXPECT_EQ(Pixels(data), Pixels(binary)) << name;
  }
  const TemporaryFolder folder;
  WriteFolder(folder.path(), Members("cifar_python2.tar.gz"));
  EXPECT_EQ(Pixels(LoadDataset(folder.path().string(), kNoCache)), Pixels(binary));
}

TEST(Cifar, IsRecognisedByItsContentAndNotByItsPath) {
  const TemporaryFolder folder;
  fs::copy_file(Fixture("data/cifar_binary.tar.gz"), folder.path() / "cifar-10-python.zip");
  EXPECT_EQ(LoadDataset((folder.path() / "cifar-10-python.zip").string(), kNoCache).layout, "CIFAR-10 binary");
}

TEST(Cifar, IsResizedWhenAsked) {
  const Dataset data =
      LoadDataset(Fixture("data/cifar_binary.tar.gz").string(), {.image_size = 16, .use_cache = false});
  EXPECT_EQ(data.shape, (ImageShape{16, 16, 3}));
  EXPECT_EQ(data.size(), 36);
  const LoadOptions grey{.shape = {32, 32, 1}, .use_cache = false};
  EXPECT_EQ(LoadDataset(Fixture("data/cifar_binary.tar.gz").string(), grey).shape, grey.shape);
}

/// The members of a fixture after a change, as an archive.
template <typename Change>
std::string ErrorAfter(const std::string& fixture, Change change) {
  const TemporaryFolder folder;
  NamedFiles files = Members(fixture);
  change(&files);
  WriteArchive(folder.path() / "x.tar", files);
  return LoadError(folder.path() / "x.tar");
}

std::string& ContentOf(NamedFiles* files, const std::string& ending) {
  return std::find_if(files->begin(), files->end(), [&](const auto& file) { return file.first.ends_with(ending); })
      ->second;
}

TEST(CifarBinary, SaysWhatIsWrong) {
  const std::string fixture = "cifar_binary.tar.gz";
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { files->erase(files->begin() + 3); }),
                  "data_batch_3.bin' is missing");
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { files->erase(files->begin()); }),
                  "batches.meta.txt' is missing");
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { ContentOf(files, "data_batch_2.bin").pop_back(); }),
                  "data_batch_2.bin");
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { ContentOf(files, "data_batch_2.bin")[0] = 7; }),
                  "label 7; expected 0 to 2");
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { ContentOf(files, "test_batch.bin").clear(); }),
                  "no images");
}

TEST(CifarPython, SaysWhatIsWrong) {
  const std::string fixture = "cifar_python2.tar.gz";
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { ContentOf(files, "data_batch_4").resize(500); }),
                  "ends too early");
  const auto hostile = [](NamedFiles* files) {
    ContentOf(files, "data_batch_4") =
        "\x80\x02"
        "cos\nsystem\n(U\x02lstR.";
  };
  EXPECT_CONTAINS(ErrorAfter(fixture, hostile), "data_batch_4");
  EXPECT_CONTAINS(ErrorAfter(fixture, hostile), "os.system");
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { ContentOf(files, "data_batch_4") = "\x80\x02}."; }),
                  "no 'data' array");
  EXPECT_CONTAINS(ErrorAfter(fixture, [](NamedFiles* files) { ContentOf(files, "batches.meta") = "\x80\x02N."; }),
                  "label_names");
}

TEST(Recognise, RefusesTwoDataSetsInOne) {
  const TemporaryFolder folder;
  WriteFolder(folder.path(), Members("cifar_python2.tar.gz"));
  WriteFolder(folder.path(), Members("cifar_binary.tar.gz"));
  EXPECT_CONTAINS(LoadError(folder.path()), "holds 2 data sets");
}

std::string BigEndian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string IdxImages(uint32_t count, uint32_t height, uint32_t width, char first) {
  std::string bytes = BigEndian(0x803) + BigEndian(count) + BigEndian(height) + BigEndian(width);
  for (uint32_t i = 0; i < count * height * width; ++i) bytes += static_cast<char>(first + i);
  return bytes;
}

std::string IdxLabels(const std::string& labels) {
  return BigEndian(0x801) + BigEndian(static_cast<uint32_t>(labels.size())) + labels;
}

NamedFiles IdxFiles() {
  return {{"train-images-idx3-ubyte", IdxImages(4, 5, 3, 10)},
          {"train-labels-idx1-ubyte", IdxLabels({0, 1, 2, 1})},
          {"t10k-images-idx3-ubyte", IdxImages(2, 5, 3, 99)},
          {"t10k-labels-idx1-ubyte", IdxLabels({2, 0})}};
}

void ExpectIdx(const Dataset& data) {
  EXPECT_EQ(data.layout, "IDX");
  EXPECT_EQ(data.shape, (ImageShape{5, 3, 1}));
  EXPECT_EQ(data.labels, (std::vector<int32_t>{0, 1, 2, 1, 2, 0}));
  EXPECT_EQ(data.classes, (std::vector<std::string>{"0", "1", "2"}));
  ASSERT_EQ(data.size(), 6);
  EXPECT_EQ(data.parts[3], Part::kTrain);
  EXPECT_EQ(data.parts[4], Part::kTest);
  EXPECT_EQ(data.image(1)[0], 10 + 15);
  EXPECT_EQ(data.image(4)[2], 99 + 2);
}

TEST(Idx, ReadsPlainPackedDottedAndArchivedFiles) {
  const TemporaryFolder folder;
  WriteFolder(folder.path() / "plain", IdxFiles());
  ExpectIdx(LoadDataset((folder.path() / "plain").string(), kNoCache));

  WriteFolder(folder.path() / "packed", IdxFiles());
  ASSERT_EQ(std::system(("gzip " + (folder.path() / "packed").string() + "/*").c_str()), 0);
  ExpectIdx(LoadDataset((folder.path() / "packed").string(), kNoCache));

  NamedFiles dotted = IdxFiles();
  for (auto& [name, content] : dotted) name.replace(name.find("-idx"), 1, ".");
  WriteFolder(folder.path() / "dotted", dotted);
  ExpectIdx(LoadDataset((folder.path() / "dotted").string(), kNoCache));

  WriteArchive(folder.path() / "x.zip", IdxFiles());
  ExpectIdx(LoadDataset((folder.path() / "x.zip").string(), kNoCache));
}

TEST(Idx, KnowsTheNamesOfItsKin) {
  for (const auto& [name, prefix, train, images, gzip] :
       std::vector<std::tuple<const char*, const char*, bool, bool, bool>>{
           {"train-images-idx3-ubyte", "", true, true, false},
           {"t10k-labels.idx1-ubyte.gz", "", false, false, true},
           {"test.images.idx3.ubyte", "", false, true, false},
           {"Train-Labels-Idx1-Ubyte.GZ", "", true, false, true},
           {"emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters", true, true, true},
           {"emnist-letters-test-labels-idx1-ubyte", "emnist-letters", false, false, false},
           {"my.set_t10k-images-idx3-ubyte", "my.set", false, true, false}}) {
    const IdxName parsed = ParseIdxName(name);
    EXPECT_TRUE(parsed.valid) << name;
    EXPECT_EQ(parsed.prefix, prefix) << name;
    EXPECT_EQ(parsed.train, train) << name;
    EXPECT_EQ(parsed.images, images) << name;
    EXPECT_EQ(parsed.gzip, gzip) << name;
  }
  for (const char* name : {"train-images-idx1-ubyte", "train-labels-idx3-ubyte", "train-images-idx3-ubyte.zip",
                           "constrain-images-idx3-ubyte", "valid-images-idx3-ubyte", "images-idx3-ubyte", ""}) {
    EXPECT_FALSE(ParseIdxName(name).valid) << name;
  }
}

TEST(Idx, ReadsLettersWhoseLabelsBeginAtOne) {
  const TemporaryFolder folder;
  const NamedFiles files = {{"emnist-letters-train-images-idx3-ubyte", IdxImages(4, 5, 3, 10)},
                            {"emnist-letters-train-labels-idx1-ubyte", IdxLabels({1, 3, 26, 3})},
                            {"emnist-letters-test-images-idx3-ubyte", IdxImages(2, 5, 3, 99)},
                            {"emnist-letters-test-labels-idx1-ubyte", IdxLabels({26, 1})}};
  WriteFolder(folder.path(), files);
  const Dataset data = LoadDataset(folder.path().string(), kNoCache);
  EXPECT_EQ(data.layout, "IDX");
  EXPECT_EQ(data.classes, (std::vector<std::string>{"1", "3", "26"}));
  EXPECT_EQ(data.labels, (std::vector<int32_t>{0, 1, 2, 1, 2, 0}));
  EXPECT_EQ(std::count(data.parts.begin(), data.parts.end(), Part::kTest), 2);

  fs::remove(folder.path() / files[3].first);
  EXPECT_CONTAINS(LoadError(folder.path()), "incomplete; expected emnist-letters-train-images-idx3-ubyte");
}

TEST(Idx, NamesTheSetsWhenThereAreSeveral) {
  const TemporaryFolder folder;
  for (const auto& [name, content] : IdxFiles()) {
    WriteText(folder.path() / ("emnist-letters-" + name), content);
    WriteText(folder.path() / ("emnist-digits-" + name), content);
    WriteText(folder.path() / name, content);
  }
  EXPECT_CONTAINS(LoadError(folder.path()),
                  "3 IDX data sets: one without a prefix, 'emnist-digits', 'emnist-letters'; expected one");
}

TEST(Idx, NeedsNoTestPart) {
  const TemporaryFolder folder;
  NamedFiles files = IdxFiles();
  files.resize(2);
  WriteFolder(folder.path(), files);
  EXPECT_EQ(LoadDataset(folder.path().string(), kNoCache).size(), 4);
}

TEST(Idx, SaysWhatIsWrong) {
  const auto error = [](size_t file, const std::string& content) {
    const TemporaryFolder folder;
    NamedFiles files = IdxFiles();
    files[file].second = content;
    WriteFolder(folder.path(), files);
    return LoadError(folder.path());
  };
  EXPECT_CONTAINS(error(0, IdxImages(4, 5, 3, 10) + "x"), "as many as its sizes say");
  EXPECT_CONTAINS(error(0, IdxImages(4, 5, 3, 10).substr(0, 40)), "as many as its sizes say");
  EXPECT_CONTAINS(error(0, IdxLabels("x")), "3 dimensions");
  EXPECT_CONTAINS(error(0, ""), "3 dimensions");
  EXPECT_CONTAINS(
      error(0, BigEndian(0x803) + BigEndian(0xffffffff) + BigEndian(0xffffffff) + BigEndian(0xffffffff) + "xx"),
      "sizes say");
  EXPECT_CONTAINS(error(1, IdxLabels({0, 1})), "2 labels for 4 images");
  EXPECT_CONTAINS(error(2, IdxImages(2, 3, 5, 0)), "another size");
  EXPECT_CONTAINS(error(1, IdxLabels({0, 0, 0, 0})),
                  "no error");  // class 1 is then missing: MakeSplits says so

  const TemporaryFolder folder;
  WriteFolder(folder.path(), IdxFiles());
  ASSERT_EQ(std::system(("gzip " + (folder.path() / "train-images-idx3-ubyte").string()).c_str()), 0);
  const fs::path packed = folder.path() / "train-images-idx3-ubyte.gz";
  WriteText(packed, ReadText(packed).substr(0, 60));
  EXPECT_CONTAINS(LoadError(folder.path()), "ends too early");
  fs::remove(packed);
  EXPECT_CONTAINS(LoadError(folder.path()), "incomplete");
  EXPECT_CONTAINS(LoadError(folder.path() / "t10k-images-idx3-ubyte"), "one IDX file");
}

TEST(Idx, KnowsTheClassesOfFashionMnistByItsContent) {
  const fs::path fashion = "/usr/share/datasets/fashion-mnist";
  if (!fs::exists(fashion)) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  const TemporaryFolder folder;
  fs::copy(fashion, folder.path() / "renamed");
  const Dataset data = LoadDataset((folder.path() / "renamed").string(), kNoCache);
  EXPECT_EQ(data.size(), 70000);
  EXPECT_EQ(data.classes.at(9), "Ankle boot");
  EXPECT_EQ(data.classes.at(data.labels[0]), "Ankle boot");  // the well-known first picture
}

}  // namespace
}  // namespace spotter
