// SPDX-License-Identifier: Apache-2.0
// Image folders and archives of them through LoadDataset: layouts, what is passed over, and what is wrong with the
// rest.
#include "data/load.h"

#include <sys/stat.h>

#include <algorithm>

#include "data/test_files.h"
#include "data/tree.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

const LoadOptions kNoCache{.use_cache = false};

class ImageFolder : public testing::Test {
 protected:
  fs::path path() const { return folder_.path() / "data"; }
  Dataset Load(const NamedFiles& files, const LoadOptions& options = kNoCache) {
    fs::remove_all(path());
    WriteFolder(path(), files);
    return LoadDataset(path().string(), options);
  }
  std::string LoadError(const NamedFiles& files, const LoadOptions& options = kNoCache) {
    return ErrorOf(ExitCode::kData, [&] { Load(files, options); });
  }

  const TemporaryFolder folder_;
  const std::string red_ = DataFixture("tiny_red.png");
  const std::string blue_ = DataFixture("tiny_blue.png");
  const std::string grey_ = DataFixture("tiny_grey.png");
};

TEST_F(ImageFolder, ReadsPartsAndClasses) {
  const Dataset data = Load(SmallDataset());
  EXPECT_EQ(data.layout, "image folder");
  EXPECT_EQ(data.source, path().string());
  EXPECT_EQ(data.shape, (ImageShape{8, 8, 3}));
  EXPECT_EQ(data.classes, (std::vector<std::string>{"blue", "red"}));
  EXPECT_EQ(data.labels, (std::vector<int32_t>{0, 0, 1, 1, 0, 1, 0, 1}));
  using enum Part;
  EXPECT_EQ(data.parts, (std::vector<Part>{kTrain, kTrain, kTrain, kTrain, kValidation, kValidation, kTest, kTest}));
  EXPECT_EQ(data.names[3], "train/red/2.png");
  EXPECT_EQ(data.names[7], "test/red/1.png");
  for (int64_t i = 0; i < data.size(); ++i) {
    const bool red = data.labels[i] == 1;
    EXPECT_EQ(data.image(i)[0], red ? 200 : 20);
    EXPECT_EQ(data.image(i)[2], red ? 30 : 200);
  }
}

TEST_F(ImageFolder, ReadsTheSameFromEveryKindOfArchiveAndThroughAFolderAround) {
  const Dataset expected = Load(SmallDataset());
  for (const char* prefix : {"", "wrapper/", "./outer/inner/"}) {
    for (const char* name : {"x.tar", "x.tar.gz", "x.zip"}) {
      NamedFiles files = SmallDataset(prefix);
      std::reverse(files.begin(), files.end());  // an archive's order does not matter
      WriteArchive(folder_.path() / name, files);
      const Dataset data = LoadDataset((folder_.path() / name).string(), kNoCache);
      EXPECT_EQ(data.names, expected.names) << prefix << name;
      EXPECT_EQ(data.labels, expected.labels);
      EXPECT_EQ(data.parts, expected.parts);
      EXPECT_TRUE(std::equal(data.image(0), data.image(data.size()), expected.image(0)));
    }
  }
}

TEST_F(ImageFolder, ReadsClassFoldersAlone) {
  const Dataset data = Load({{"b/1.png", red_}, {"a/x/2.png", blue_}, {"a/1.png", blue_}});
  EXPECT_EQ(data.classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(data.parts, std::vector<Part>(3, Part::kNone));
  EXPECT_EQ(data.names, (std::vector<std::string>{"a/1.png", "a/x/2.png", "b/1.png"}));
}

TEST_F(ImageFolder, TakesTheOtherNamesOfParts) {
  const Dataset data = Load(
      {{"Training/a/1.png", red_}, {"Training/b/1.png", blue_}, {"VALIDATION/a/1.png", red_}, {"Test/b/1.png", blue_}});
  EXPECT_EQ(data.parts, (std::vector<Part>{Part::kTrain, Part::kTrain, Part::kValidation, Part::kTest}));
}

TEST_F(ImageFolder, AFolderNamedTrainMayBeAClass) {
  const Dataset data = Load({{"bus/1.png", red_}, {"car/1.png", red_}, {"train/1.png", blue_}});
  EXPECT_EQ(data.classes, (std::vector<std::string>{"bus", "car", "train"}));
}

TEST_F(ImageFolder, SortsClassesByTheirBytes) {
  const Dataset data = Load(
      {{"b/1.png", red_}, {"B/1.png", red_}, {"10/1.png", red_}, {"9/1.png", red_}, {"\xC3\xA9t\xC3\xA9/1.png", red_}});
  EXPECT_EQ(data.classes, (std::vector<std::string>{"10", "9", "B", "b", "\xC3\xA9t\xC3\xA9"}));
}

TEST_F(ImageFolder, PassesOverHiddenAndForeignFiles) {
  NamedFiles files = SmallDataset();
  for (const char* name :
       {".DS_Store", ".hidden/a/1.png", "__MACOSX/train/blue/._1.png", "train/.ipynb_checkpoints/1.png",
        "train/blue/Thumbs.db", "train/red/desktop.ini", "train/red/._2.png", "README.md", "train/labels.csv",
        "$RECYCLE.BIN/a/1.png", "System Volume Information/a/1.png", "lost+found/a/1.png", "train/@eaDir/1.png"}) {
    files.emplace_back(name, "no image");
  }
  const Dataset data = Load(files, {.strict = true, .use_cache = false});
  EXPECT_EQ(data.size(), 8);
  EXPECT_EQ(data.classes.size(), 2u);
  EXPECT_TRUE(data.skipped.empty());
}

// `cd my-pictures; spotter train .` puts the run there.
TEST_F(ImageFolder, PassesOverSpottersOwnRuns) {
  NamedFiles files = {{"cat/1.png", red_}, {"dog/1.png", blue_}};
  for (const char* run : {"runs/pictures-1/", "runs/more/pictures-2/", "my-run/", "dog/run/"}) {
    files.emplace_back(std::string(run) + "run.json", "{}");
    files.emplace_back(std::string(run) + "checkpoints/last.safetensors", "x");
    files.emplace_back(std::string(run) + "pictures/1.png", red_);
  }
  const Dataset data = Load(files);
  EXPECT_EQ(data.names, (std::vector<std::string>{"cat/1.png", "dog/1.png"}));
  EXPECT_TRUE(data.skipped.empty());
  // A folder of other things beside a run is still the user's.
  files.emplace_back("runs/notes.txt", "x");
  EXPECT_CONTAINS(LoadError(files), "the class folder 'runs'");
}

TEST_F(ImageFolder, ReadsAFileInARunThatIsGivenItself) {
  const Dataset data = Load({{"run.json", "{}"}, {"checkpoints/1.png", red_}, {"other/1.png", blue_}});
  EXPECT_EQ(data.classes, (std::vector<std::string>{"checkpoints", "other"}));
}

TEST_F(ImageFolder, GoesByContentRatherThanByExtension) {
  const Dataset data =
      Load({{"a/1.txt", red_}, {"a/2", DataFixture("lossy.webp")}, {"b/1.gif", DataFixture("colour_420.jpg")}});
  EXPECT_EQ(data.size(), 3);
}

TEST_F(ImageFolder, CountsAndNamesUnreadableImages) {
  NamedFiles files = SmallDataset();
  files.emplace_back("train/red/text.jpg", "this is text");
  files.emplace_back("train/red/empty.png", "");
  files.emplace_back("train/blue/cut.jpg", DataFixture("colour_420.jpg").substr(0, 900));  // its header is whole
  files.emplace_back("train/blue/huge.png", DataFixture("huge.png"));
  files.emplace_back("train/loose.png", red_);
  const Dataset data = Load(files, {.image_size = 8, .use_cache = false});
  EXPECT_EQ(data.size(), 8);
  ASSERT_EQ(data.skipped.size(), 5u);
  EXPECT_EQ(data.skipped[0].name, "train/blue/cut.jpg");
  EXPECT_CONTAINS(data.skipped[0].reason, "damaged");
  EXPECT_EQ(data.skipped[1].name, "train/blue/huge.png");
  EXPECT_CONTAINS(data.skipped[1].reason, "too large");
  EXPECT_CONTAINS(data.skipped[2].reason, "no class folder");
  EXPECT_CONTAINS(data.skipped[3].reason, "empty");
  EXPECT_CONTAINS(data.skipped[4].reason, "not a JPEG, PNG or WebP");
  for (int64_t i = 0; i < data.size(); ++i)
    EXPECT_EQ(data.image(i)[0], data.labels[i] == 1 ? 200 : 20) << data.names[i];
}

TEST_F(ImageFolder, StrictMakesAnUnreadableImageAnError) {
  NamedFiles files = SmallDataset();
  files.emplace_back("train/red/text.jpg", "this is text");
  EXPECT_CONTAINS(LoadError(files, {.strict = true, .use_cache = false}), "train/red/text.jpg");
  files.back() = {"train/red/cut.jpg", DataFixture("colour_420.jpg").substr(0, 900)};
  EXPECT_CONTAINS(LoadError(files, {.strict = true, .use_cache = false}), "train/red/cut.jpg");
}

TEST_F(ImageFolder, GreyStaysGreyUntilOneImageIsColour) {
  EXPECT_EQ(Load({{"a/1.png", grey_}, {"b/1.png", grey_}}).shape, (ImageShape{8, 8, 1}));
  const Dataset data = Load({{"a/1.png", grey_}, {"b/1.png", red_}});
  EXPECT_EQ(data.shape, (ImageShape{8, 8, 3}));
  EXPECT_EQ(data.image(0)[1], 90);
}

TEST_F(ImageFolder, ChoosesTheSizeByItsRule) {
  const std::string wide = DataFixture("colour.png");           // 23 x 37
  const std::string larger = DataFixture("resize_source.png");  // 50 x 75
  EXPECT_EQ(Load({{"a/1.png", wide}, {"b/1.png", wide}}).shape, (ImageShape{23, 37, 3}));
  EXPECT_EQ(Load({{"a/1.png", wide}, {"b/1.png", red_}}).shape, (ImageShape{64, 64, 3}));
  EXPECT_EQ(Load({{"a/1.png", larger}, {"b/1.png", larger}}).shape, (ImageShape{64, 64, 3}));
  EXPECT_EQ(Load({{"a/1.png", wide}, {"b/1.png", wide}}, {.image_size = 20, .use_cache = false}).shape,
            (ImageShape{20, 20, 3}));
  EXPECT_CONTAINS(ErrorOf(ExitCode::kUsage, [&] { LoadDataset(path().string(), {.image_size = -1}); }),
                  "image size is -1");
}

TEST_F(ImageFolder, SaysWhetherItResized) {
  EXPECT_FALSE(Load({{"a/1.png", grey_}, {"b/1.png", red_}}).resized);  // grey to colour is no change of size
  EXPECT_TRUE(Load({{"a/1.png", grey_}, {"b/1.png", DataFixture("colour.png")}}).resized);
  EXPECT_TRUE(Load({{"a/1.png", grey_}, {"b/1.png", red_}}, {.image_size = 9, .use_cache = false}).resized);
}

TEST_F(ImageFolder, ReadsEveryKindOfImage) {
  NamedFiles files = {{"a/tiny.png", red_}};
  for (const char* name : {"cmyk.jpg", "progressive.jpg", "grey.jpg", "colour_16_bit.png", "grey_16_bit.png",
                           "palette_alpha.png", "one_bit.png", "alpha.webp"}) {
    files.emplace_back(std::string("b/") + name, DataFixture(name));
  }
  const LoadOptions options{.shape = {16, 20, 3}, .strict = true, .use_cache = false};  // the size of cmyk.jpg
  const Dataset data = Load(files, options);
  ASSERT_EQ(data.size(), 9);
  const auto at = std::find(data.names.begin(), data.names.end(), "b/cmyk.jpg");
  const uint8_t* cmyk = data.image(at - data.names.begin());
  EXPECT_TRUE(std::equal(cmyk, cmyk + 16 * 20 * 3, ReadPnm("cmyk.jpg.ppm").pixels.begin()));
}

TEST_F(ImageFolder, LooksForTheOrientationAtTheEndOfALongWebp) {
  std::string webp = DataFixture("orientation_6.webp");
  std::string padding("PADD\0\0\2\0", 8);  // 128 KB of a chunk that nobody knows
  webp.insert(webp.find("EXIF"), padding + std::string(128 << 10, '\0'));
  for (const size_t i : {0, 1, 2}) webp[4 + i] = static_cast<char>((webp.size() - 8) >> (8 * i));
  const Dataset data = Load({{"a/1.webp", webp}, {"b/1.webp", webp}});
  const Image expected = ReadPnm("orientation_6.webp.ppm");
  EXPECT_EQ(data.shape, expected.shape);
  EXPECT_FALSE(data.resized);
  EXPECT_TRUE(std::equal(expected.pixels.begin(), expected.pixels.end(), data.image(1)));
  EXPECT_CONTAINS(LoadError({{"a/1.webp", webp.substr(0, 100 << 10)}, {"b/1.webp", red_}}), "end is missing");
}

TEST_F(ImageFolder, MakesExactlyTheShapeOfAModel) {
  const Dataset grey =
      Load({{"a/1.png", grey_}, {"b/1.png", red_}}, {.image_size = 20, .shape = {6, 7, 1}, .use_cache = false});
  EXPECT_EQ(grey.shape, (ImageShape{6, 7, 1}));
  EXPECT_EQ(grey.image(0)[5], 90);
  EXPECT_EQ(grey.image(1)[5], 75);  // 0.299 * 200 + 0.587 * 20 + 0.114 * 30
  EXPECT_EQ(Load({{"a/1.png", grey_}, {"b/1.png", grey_}}, {.shape = {8, 8, 3}, .use_cache = false}).shape.channels, 3);
  EXPECT_CONTAINS(ErrorOf(ExitCode::kUsage, [&] { LoadDataset(path().string(), {.shape = {8, 8, 2}}); }), "8 x 8 x 2");
}

TEST_F(ImageFolder, TheNumberOfThreadsChangesNothing) {
  WriteFolder(path(), SmallDataset());
  const Dataset one = LoadDataset(path().string(), {.image_size = 13, .use_cache = false, .threads = 1});
  const Dataset four = LoadDataset(path().string(), {.image_size = 13, .use_cache = false, .threads = 4});
  EXPECT_TRUE(std::equal(one.image(0), one.image(one.size()), four.image(0)));
}

TEST_F(ImageFolder, LinksAreFollowedAndLoopsAreHarmless) {
  WriteFolder(path(), SmallDataset());
  fs::create_directory_symlink(path(), path() / "train" / "red" / "loop");
  fs::create_directory_symlink("../red", path() / "train" / "red" / "self");
  fs::create_symlink(path() / "nowhere", path() / "train" / "red" / "broken.jpg");
  fs::create_directory_symlink(path() / "train" / "red", path() / "train" / "crimson");
  const Dataset data = LoadDataset(path().string(), kNoCache);
  EXPECT_EQ(data.size(), 10);
  EXPECT_EQ(data.classes, (std::vector<std::string>{"blue", "crimson", "red"}));
  ASSERT_EQ(data.skipped.size(), 2u);  // by both ways to it
  EXPECT_EQ(data.skipped[1].name, "train/red/broken.jpg");
}

TEST_F(ImageFolder, APipeIsNotWaitedFor) {
  WriteFolder(path(), SmallDataset());
  ASSERT_EQ(::mkfifo((path() / "train" / "red" / "pipe.jpg").c_str(), 0644), 0);
  const Dataset data = LoadDataset(path().string(), kNoCache);
  EXPECT_EQ(data.size(), 8);
  ASSERT_EQ(data.skipped.size(), 1u);
}

TEST_F(ImageFolder, NamesWithStrangeBytesAreRead) {
  const Dataset data = Load({{"a\n\xff/1.png", red_}, {"b/\xfe.png", blue_}});
  EXPECT_EQ(data.size(), 2);
  EXPECT_CONTAINS(LoadError({{"a\n\xff/1.jpg", "text"}}), "1.jpg");  // and errors stay one line
}

TEST_F(ImageFolder, AnEmptyFolder) { EXPECT_CONTAINS(LoadError({}), "it is empty"); }

TEST_F(ImageFolder, AFolderWithoutImages) {
  EXPECT_CONTAINS(LoadError({{"a/b.txt", "x"}}), "no JPEG, PNG or WebP images");
}

TEST_F(ImageFolder, AFolderWithOnlyAnArchive) {
  EXPECT_CONTAINS(LoadError({{"x.tar.gz", "x"}}), "the archive 'x.tar.gz'");
}

// A model may be evaluated on them; MakeSplits refuses to divide them for training.
TEST_F(ImageFolder, OneClassOrATestPartAloneIsRead) {
  EXPECT_EQ(Load({{"a/1.png", red_}, {"a/2.png", red_}}).classes, std::vector<std::string>{"a"});
  EXPECT_EQ(Load({{"train/a/1.png", red_}, {"test/a/2.png", red_}}).size(), 2);
  const Dataset data = Load({{"test/b/1.png", red_}, {"test/a/1.png", red_}});
  EXPECT_EQ(data.classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(data.parts, std::vector<Part>(2, Part::kTest));
  EXPECT_CONTAINS(LoadError({{"test/a/1.png", red_}, {"test/b/1.jpg", "text"}}), "class 'b'");
}

TEST_F(ImageFolder, LooseImages) {
  EXPECT_CONTAINS(LoadError({{"1.png", red_}, {"2.png", blue_}}), "no class folder");
  EXPECT_CONTAINS(LoadError({{"train/1.png", red_}, {"test/2.png", blue_}}), "such as cat/1.jpg");
  EXPECT_CONTAINS(LoadError({{"train/1.png", red_}, {"test/a/2.png", blue_}}), "directly in 'train'");
  const std::string flat_test = LoadError({{"train/a/1.png", red_}, {"train/b/1.png", red_}, {"test/2.png", blue_}});
  EXPECT_CONTAINS(flat_test, "directly in 'test'");
  EXPECT_CONTAINS(flat_test, "move 'test' elsewhere to train without it");
}

TEST_F(ImageFolder, AClassThatTheTrainingPartLacks) {
  NamedFiles files = SmallDataset();
  files.emplace_back("test/green/1.png", DataFixture("tiny_green.png"));
  EXPECT_CONTAINS(LoadError(files), "class 'green' in its test part but not in train");
}

TEST_F(ImageFolder, TwoFoldersForOnePart) {
  NamedFiles files = SmallDataset();
  files.emplace_back("valid/red/1.png", red_);
  EXPECT_CONTAINS(LoadError(files), "both 'val' and 'valid'");
}

TEST_F(ImageFolder, StrayPicturesBesideThePartsAreSkipped) {
  for (const char* prefix : {"", "wrapper/"}) {
    NamedFiles files = SmallDataset(prefix);
    files.emplace_back(std::string(prefix) + "banner.png", red_);
    files.emplace_back(std::string(prefix) + "assets/banner.png", red_);
    files.emplace_back(std::string(prefix) + "assets/logos/1.png", red_);
    const Dataset data = Load(files);
    EXPECT_EQ(data.size(), 8) << prefix;
    ASSERT_EQ(data.skipped.size(), 3u) << prefix;
    EXPECT_EQ(data.skipped[0].name, "assets/banner.png");
    EXPECT_CONTAINS(data.skipped[0].reason, "outside of train, val and test");
    EXPECT_CONTAINS(LoadError(files, {.strict = true, .use_cache = false}), "assets/banner.png");
  }
}

TEST_F(ImageFolder, APartOfAnUnknownNameIsNoStray) {
  NamedFiles files = SmallDataset();
  files.emplace_back("extra/red/1.png", red_);
  EXPECT_CONTAINS(LoadError(files), "'extra' beside its parts");
}

TEST_F(ImageFolder, AnEmptyClassFolder) {
  fs::create_directories(path() / "train" / "green");
  WriteFolder(path(), SmallDataset());
  EXPECT_CONTAINS(ErrorOf(ExitCode::kData, [&] { LoadDataset(path().string(), kNoCache); }), "'train/green'");
}

TEST_F(ImageFolder, NothingReadable) {
  EXPECT_CONTAINS(LoadError({{"a/1.jpg", "text"}, {"b/1.jpg", "text"}}), "none of the 2 images");
  EXPECT_CONTAINS(LoadError({{"a/1.png", red_}, {"b/1.jpg", "text"}}), "class 'b'");
  EXPECT_CONTAINS(LoadError({{"1.png", red_}, {"a/1.jpg", "text"}, {"b/1.jpg", "text"}}), "none of the 2 images");
}

TEST_F(ImageFolder, AnArchiveThatIsCutOrHostile) {
  const fs::path archive = folder_.path() / "x.tar.gz";
  WriteArchive(archive, SmallDataset());
  WriteText(archive, ReadText(archive).substr(0, 200));
  const auto error = [&] { return ErrorOf(ExitCode::kData, [&] { LoadDataset(archive.string(), kNoCache); }); };
  EXPECT_CONTAINS(error(), "x.tar.gz");
  NamedFiles files = SmallDataset();
  files.emplace_back("../train/red/3.png", red_);
  WriteArchive(archive, files);
  EXPECT_CONTAINS(error(), "'../train/red/3.png'");
  WriteText(archive, red_);
  EXPECT_CONTAINS(error(), "one image");
}

TEST_F(ImageFolder, AnArchiveOfNamesInUtf8) {
  const fs::path archive = folder_.path() / "x.zip";
  const std::string name = "B\u00e4ume/\u732b.png";
  WriteArchive(archive, {{name, red_}, {"b/1.png", blue_}});
  PatchZip(archive, 0x800);
  EXPECT_EQ(LoadDataset(archive.string(), kNoCache).names, (std::vector<std::string>{name, "b/1.png"}));
}

TEST_F(ImageFolder, ALargeFileInAnArchiveIsNoMatter) {
  const fs::path archive = folder_.path() / "x.tar";
  WriteTarWithHole(archive, SmallDataset(), "film.mp4", kMaxFileBytes + 1);
  EXPECT_EQ(LoadDataset(archive.string(), kNoCache).size(), 8);
}

TEST_F(ImageFolder, AnArchiveThatChangesBetweenTheListingAndTheReading) {
  const fs::path archive = folder_.path() / "x.tar";
  NamedFiles files = SmallDataset();
  const auto read_after = [&](const NamedFiles& changed) {
    WriteArchive(archive, files);
    const std::unique_ptr<FileTree> tree = OpenArchive(archive, {});
    WriteArchive(archive, changed);
    tree->ReadEach(std::vector<bool>(8, true), kMaxFileBytes, 1, [](size_t, const std::string&, const std::string&) {});
  };
  read_after(files);
  const NamedFiles fewer(files.begin(), files.end() - 1);
  EXPECT_CONTAINS(ErrorOf(ExitCode::kIo, [&] { read_after(fewer); }), "was changed while it was read");
  NamedFiles others = files;
  others[3].first = "train/red/other.png";
  EXPECT_CONTAINS(ErrorOf(ExitCode::kIo, [&] { read_after(others); }), "was changed while it was read");
}

TEST_F(ImageFolder, AFileLargerThanIsWantedIsAProblemOfItsOwn) {
  WriteFolder(path(), {{"large", std::string(20, 'x')}, {"small", "x"}});
  WriteArchive(folder_.path() / "x.tar", {{"large", std::string(20, 'x')}, {"small", "x"}});
  for (const bool packed : {false, true}) {
    const std::unique_ptr<FileTree> tree = packed ? OpenArchive(folder_.path() / "x.tar", {}) : OpenFolder(path());
    std::vector<std::string> told(2);
    tree->ReadEach({true, true}, 10, 1, [&](size_t i, const std::string& content, const std::string& problem) {
      told[i] = content + problem;
    });
    EXPECT_EQ(told, (std::vector<std::string>{"larger than 10 bytes, the most that is read", "x"})) << packed;
  }
}

TEST_F(ImageFolder, AFileTwiceInAnArchive) {
  NamedFiles files = SmallDataset();
  files.push_back(files.front());
  WriteArchive(folder_.path() / "x.tar", files);
  EXPECT_CONTAINS(ErrorOf(ExitCode::kData, [&] { LoadDataset((folder_.path() / "x.tar").string(), kNoCache); }),
                  "twice");
}

TEST_F(ImageFolder, AHardLinkInATarIsNamed) {
  WriteFolder(path(), SmallDataset());
  fs::create_hard_link(path() / "train/red/1.png", path() / "train/red/3.png");
  const std::string archive = (folder_.path() / "x.tar").string();
  ASSERT_EQ(std::system(("tar --sort=name -cf " + archive + " -C " + path().string() + " .").c_str()), 0);
  const Dataset data = LoadDataset(archive, kNoCache);
  EXPECT_EQ(data.size(), 8);
  ASSERT_EQ(data.skipped.size(), 1u);
  EXPECT_CONTAINS(data.skipped[0].reason, "link");
}

}  // namespace
}  // namespace spotter
