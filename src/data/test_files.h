// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: fixtures, expected pixels, archives and folders made on the spot, and errors as text.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/image.h"
#include "support/test_support.h"

namespace spotter {

inline std::string DataFixture(const std::string& name) { return ReadText(Fixture("data/" + name)); }

/// Reads a binary PGM or PPM: what Pillow made of a fixture.
inline Image ReadPnm(const std::string& name) {
  std::istringstream in(DataFixture(name));
  std::string magic;
  Image image;
  int largest = 0;
  in >> magic >> image.shape.width >> image.shape.height >> largest;
  in.get();
  image.shape.channels = magic == "P5" ? 1 : 3;
  image.pixels.resize(image.shape.size());
  in.read(reinterpret_cast<char*>(image.pixels.data()), image.shape.size());
  EXPECT_TRUE(in.good() && largest == 255) << name;
  return image;
}

/// The largest difference between two images' pixels; 256 when their shapes differ.
inline int LargestDifference(const Image& a, const Image& b) {
  if (a.shape != b.shape || a.pixels.size() != b.pixels.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

/// The message of the Error that the call throws, which must have the code and be one line; "no error" when it throws
/// none.
template <typename Call>
std::string ErrorOf(ExitCode code, Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "no error";
}

/// Its arguments are evaluated once.
#define EXPECT_CONTAINS(text, part) EXPECT_PRED2(Contains, text, part)
inline bool Contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

using NamedFiles = std::vector<std::pair<std::string, std::string>>;  // path inside, content

inline void WriteFolder(const std::filesystem::path& folder, const NamedFiles& files) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, content] : files) WriteText(folder / name, content);
}

/// Writes an archive of the kind that the path's ending says: .tar, .tar.gz or .zip.
inline void WriteArchive(const std::filesystem::path& path, const NamedFiles& files) {
  archive* out = archive_write_new();
  const std::string name = path.string();
  if (name.ends_with(".zip")) {
    archive_write_set_format_zip(out);
  } else {
    archive_write_set_format_ustar(out);
    if (name.ends_with(".gz")) archive_write_add_filter_gzip(out);
  }
  ASSERT_EQ(archive_write_open_filename(out, name.c_str()), ARCHIVE_OK);
  for (const auto& [member, content] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    ASSERT_EQ(archive_write_header(out, entry), ARCHIVE_OK);
    archive_write_data(out, content.data(), content.size());
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_close(out), ARCHIVE_OK);
  archive_write_free(out);
}

/// Changes the headers of a zip: bits that are added to their flags (1: encrypted, 0x800: names in UTF-8), and the
/// system that it was made on (0: MS-DOS and Windows, 3: Unix).
inline void PatchZip(const std::filesystem::path& path, unsigned flags, char system = 3) {
  std::string bytes = ReadText(path);
  const auto patch = [&](const std::string& mark, size_t flags_at) {
    for (size_t at = bytes.find(mark); at != std::string::npos; at = bytes.find(mark, at + 1)) {
      bytes[at + flags_at] = static_cast<char>(bytes[at + flags_at] | (flags & 0xff));
      bytes[at + flags_at + 1] = static_cast<char>(bytes[at + flags_at + 1] | (flags >> 8));
      if (flags_at == 8) bytes[at + 5] = system;
    }
  };
  patch("PK\x03\x04", 6);  // before each member
  patch("PK\x01\x02", 8);  // in the list at the end
  WriteText(path, bytes);
}

/// A tar of these files and of `name`, a file of so many bytes that takes no room: all zeros, stored as a hole.
inline void WriteTarWithHole(const std::filesystem::path& path, const NamedFiles& files, const std::string& name,
                             uintmax_t bytes) {
  const TemporaryFolder folder;
  WriteFolder(folder.path(), files);
  WriteText(folder.path() / name, "");
  std::filesystem::resize_file(folder.path() / name, bytes);
  const std::string command = "tar -cSf " + path.string() + " -C " + folder.path().string() + " .";
  ASSERT_EQ(std::system(command.c_str()), 0);
}

/// Two classes with train, validation and test images: names are paths below the data set's folder.
inline NamedFiles SmallDataset(const std::string& prefix = "") {
  const std::string red = DataFixture("tiny_red.png");
  const std::string blue = DataFixture("tiny_blue.png");
  return {{prefix + "train/blue/1.png", blue}, {prefix + "train/blue/2.png", blue}, {prefix + "train/red/1.png", red},
          {prefix + "train/red/2.png", red},   {prefix + "val/blue/1.png", blue},   {prefix + "val/red/1.png", red},
          {prefix + "test/blue/1.png", blue},  {prefix + "test/red/1.png", red}};
}

}  // namespace spotter
