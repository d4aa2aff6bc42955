// SPDX-License-Identifier: Apache-2.0
// Archives: members come whole and in order; hostile, damaged and cut archives are refused.
#include "data/archive.h"

#include <algorithm>
#include <clocale>

#include "data/test_files.h"

namespace spotter {
namespace {

NamedFiles ReadAll(const std::filesystem::path& path) {
  NamedFiles files;
  for (ArchiveReader reader(path); reader.Next();) {
    std::string bytes;
    reader.Read(1 << 30, &bytes);
    if (reader.kind() != ArchiveReader::Kind::kFolder) files.emplace_back(reader.name(), std::move(bytes));
  }
  return files;
}

std::string ReadError(const std::filesystem::path& path) {
  return ErrorOf(ExitCode::kData, [&] { ReadAll(path); });
}

const NamedFiles kFiles = {{"a/1", "one"}, {"a/2", std::string(100000, 'x')}, {"b", ""}};

TEST(ArchiveReader, ReadsTarGzipAndZip) {
  const TemporaryFolder folder;
  for (const char* name : {"x.tar", "x.tar.gz", "x.zip"}) {
    WriteArchive(folder.path() / name, kFiles);
    EXPECT_EQ(ReadAll(folder.path() / name), kFiles) << name;
  }
}

TEST(ArchiveReader, GoesByContentAndNotByName) {
  const TemporaryFolder folder;
  WriteArchive(folder.path() / "x.tar.gz", kFiles);
  std::filesystem::rename(folder.path() / "x.tar.gz", folder.path() / "x.jpg");
  EXPECT_EQ(ReadAll(folder.path() / "x.jpg"), kFiles);
}

TEST(ArchiveReader, DropsLeadingDots) {
  const TemporaryFolder folder;
  WriteArchive(folder.path() / "x.tar", {{"./a//b", "1"}});
  EXPECT_EQ(ReadAll(folder.path() / "x.tar").at(0).first, "a/b");
}

TEST(ArchiveReader, RefusesPathsThatLeaveTheArchive) {
  const TemporaryFolder folder;
  for (const char* name : {"x.tar", "x.tar.gz", "x.zip"}) {
    WriteArchive(folder.path() / name, {{"a/1.png", "1"}, {"a/../../evil.png", "2"}});
    EXPECT_CONTAINS(ReadError(folder.path() / name), "a/../../evil.png");
    WriteArchive(folder.path() / name, {{"/etc/evil.png", "2"}});
    EXPECT_CONTAINS(ReadError(folder.path() / name), "/etc/evil.png");
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "evil.png"));
}

TEST(ArchiveReader, RefusesAnArchiveThatIsCut) {
  const TemporaryFolder folder;
  for (const char* name : {"x.tar", "x.tar.gz", "x.zip"}) {
    const auto path = folder.path() / name;
    WriteArchive(path, kFiles);
    const std::string whole = ReadText(path);
    const size_t step = 1 + whole.size() / 600;
    for (size_t keep = whole.size() - 1; keep > step; keep -= step) {
      std::filesystem::resize_file(path, keep);
      const std::string error = ReadError(path);
      // A tar is filled up with zeros to 10 kB; losing some of these loses nothing.
      if (std::string(name) == "x.tar" && whole.find_first_not_of('\0', keep) == std::string::npos) continue;
      EXPECT_NE(error, "no error") << name << " cut to " << keep << " of " << whole.size();
    }
  }
}

TEST(ArchiveReader, RefusesATarThatEndsBetweenTwoMembers) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.tar";
  WriteArchive(path, {{"a", std::string(512, 'x')}, {"b", "2"}});
  WriteText(path, ReadText(path).substr(0, 1024));
  EXPECT_CONTAINS(ReadError(path), "end mark");
}

TEST(ArchiveReader, NoticesDamageByGzipsChecksum) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.tar.gz";
  WriteArchive(path, kFiles);
  std::string bytes = ReadText(path);
  bytes[bytes.size() - 6] ^= 1;
  WriteText(path, bytes);
  EXPECT_CONTAINS(ReadError(path), "damaged");
}

TEST(ArchiveReader, ReadsOnToGzipsChecksumBehindTheLastMember) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "x.tar").string();
  WriteArchive(path, kFiles);
  std::filesystem::resize_file(path, 5 << 20);  // zeros, as tar programs add to fill up a block
  ASSERT_EQ(std::system(("gzip " + path).c_str()), 0);
  EXPECT_EQ(ReadAll(path + ".gz"), kFiles);
  std::string bytes = ReadText(path + ".gz");
  bytes[bytes.size() - 6] ^= 1;
  WriteText(path + ".gz", bytes);
  EXPECT_CONTAINS(ReadError(path + ".gz"), "damaged");
}

TEST(ArchiveReader, RefusesWhatIsNoArchive) {
  const TemporaryFolder folder;
  WriteText(folder.path() / "x.tar.gz", "this is text");
  EXPECT_CONTAINS(ReadError(folder.path() / "x.tar.gz"), "not a tar or zip archive");
  WriteText(folder.path() / "empty.zip", "");
  EXPECT_CONTAINS(ReadError(folder.path() / "empty.zip"), "not a tar or zip archive");
}

TEST(ArchiveReader, DoesNotFollowLinks) {
  const TemporaryFolder folder;
  WriteText(folder.path() / "in/a.txt", "secret");
  std::filesystem::create_symlink("/etc/passwd", folder.path() / "in/b");
  const std::string path = (folder.path() / "x.tar").string();
  ASSERT_EQ(std::system(("tar -cf " + path + " -C " + (folder.path() / "in").string() + " .").c_str()), 0);
  for (const auto& [name, content] : ReadAll(path)) {
    EXPECT_EQ(content, name == "b" ? "" : "secret") << name;
  }
}

TEST(ArchiveReader, PassesOverALargeMemberThatNobodyReads) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.tar";
  WriteTarWithHole(path, {{"a", "1"}, {"z", "2"}}, "film.mp4", uintmax_t{5} << 30);
  std::string small;
  int64_t large = 0;
  for (ArchiveReader reader(path); reader.Next();) {
    large = std::max(large, reader.size());
    if (reader.size() < 10) reader.Read(10, &small);
  }
  EXPECT_EQ(large, int64_t{5} << 30);
  EXPECT_EQ(small.size(), 2u);
}

TEST(ArchiveReader, RefusesMoreThanAnyDataSetHolds) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.tar";
  WriteArchive(path, {{"bomb.png", "x"}});
  std::string bytes = ReadText(path);
  bytes.replace(124, 12, std::string("\x80\0\0\0\x40\0\0\0\0\0\0\0", 12));  // 2^62 bytes, in base 256
  uint32_t sum = 0;
  bytes.replace(148, 8, "        ");
  for (int i = 0; i < 512; ++i) sum += static_cast<uint8_t>(bytes[i]);
  bytes.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  WriteText(path, bytes);
  EXPECT_CONTAINS(ReadError(path), "is too large");
}

TEST(ArchiveReader, SaysThatAZipIsEncrypted) {
  const TemporaryFolder folder;
  WriteArchive(folder.path() / "x.zip", kFiles);
  PatchZip(folder.path() / "x.zip", 1);
  EXPECT_CONTAINS(ReadError(folder.path() / "x.zip"), "it is encrypted; unpack it and give the folder");
}

TEST(ArchiveReader, ReadsNamesThatAZipMarksAsUtf8) {
  const TemporaryFolder folder;
  const NamedFiles files = {{"b\u00e4ume/1.png", "1"}, {"\u732b/\U0001f431.png", "2"}};
  WriteArchive(folder.path() / "x.zip", files);
  EXPECT_EQ(ReadAll(folder.path() / "x.zip"), files);
  PatchZip(folder.path() / "x.zip", 0x800);
  EXPECT_EQ(ReadAll(folder.path() / "x.zip"), files);
  EXPECT_STREQ(::setlocale(LC_ALL, nullptr), "C");  // the program's own locale is as it was
}

// Some Windows programs write them, against the format.
TEST(ArchiveReader, TakesBackslashesInAZipOfWindowsAsFolders) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x.zip";
  WriteArchive(path, {{"cat\\1.png", "1"}});
  PatchZip(path, 0, 0);
  EXPECT_EQ(ReadAll(path).at(0).first, "cat/1.png");
  for (const char* name : {"..\\evil.png", "cat\\..\\..\\evil.png"}) {
    WriteArchive(path, {{"cat\\1.png", "1"}, {name, "2"}});
    PatchZip(path, 0, 0);
    EXPECT_CONTAINS(ReadError(path), "leaves the archive");
  }
}

TEST(ArchiveReader, ReadsNamesThatTheLocaleCanNotHold) {
  const TemporaryFolder folder;
  WriteText(folder.path() /
                "in/stra\xC3\x9F"
                "e.txt",
            "1");
  for (const char* format : {"gnu", "pax"}) {
    const std::string path = (folder.path() / "x.tar").string();
    const std::string command =
        fmt::format("tar --format={} -cf {} -C {} .", format, path, (folder.path() / "in").string());
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(ReadAll(path).at(0).first,
              "stra\xC3\x9F"
              "e.txt")
        << format;
  }
}

}  // namespace
}  // namespace spotter
