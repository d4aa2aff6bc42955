// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include "base/error.h"
#include "support/test_support.h"

namespace spotter {
namespace {

// RFC 1321, section A.5.
TEST(FileMd5, GivesTheKnownAnswers) {
  TemporaryFolder folder;
  const auto md5 = [&](const std::string& content) {
    WriteText(folder.path() / "file", content);
    return FileMd5(folder.path() / "file");
  };
  EXPECT_EQ(md5(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
}

// Of md5sum, over more than one of the pieces in which files are read.
TEST(FileMd5, ReadsLargeFilesWhole) {
  TemporaryFolder folder;
  WriteText(folder.path() / "file", std::string(3'000'000, 'a'));
  int64_t last = 0;
  const Progress progress = [&](const std::string& what, int64_t done, int64_t total) {
    EXPECT_EQ(what, "checking file");
    EXPECT_EQ(total, 3'000'000);
    EXPECT_GT(done, last);
    last = done;
  };
  EXPECT_EQ(FileMd5(folder.path() / "file", progress), "99ddc9a3a46ea62c95652bdf937a1fb8");
  EXPECT_EQ(last, 3'000'000);
}

TEST(FileMd5, OfAnAbsentFileIsAnIoError) {
  for (const char* path : {"/absent/file", "/"}) {
    try {
      FileMd5(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kIo);
    }
  }
}

// The value that xxHash's own test suite has for XXH3_64bits of no bytes with seed 0.
TEST(FastHash, GivesTheKnownAnswerOfNothing) { EXPECT_EQ(FastHash().Hex(), "2d06800538d394c2"); }

TEST(FastHash, DependsOnTheBytesAndNotOnThePieces) {
  TemporaryFolder folder;
  WriteText(folder.path() / "file", "one two");
  FastHash whole, pieces, file, other;
  whole.Add("one two");
  pieces.Add("one");
  pieces.Add("");
  pieces.Add(" two");
  file.AddFile(folder.path() / "file");
  other.Add("one twp");
  EXPECT_EQ(whole.Hex(), pieces.Hex());
  EXPECT_EQ(whole.Hex(), file.Hex());
  EXPECT_NE(whole.Hex(), other.Hex());
  const std::string before = whole.Hex();
  whole.AddNumber(0);
  EXPECT_NE(whole.Hex(), before);
}

}  // namespace
}  // namespace spotter
