// SPDX-License-Identifier: Apache-2.0
// Reads the members of a .tar (plain, gzip, bzip2, xz, zstd) or .zip archive one after another. Nothing is extracted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace spotter {

/// All failures are Error(kData) that name the archive: not an archive, encrypted, damaged, cut short (also where only
/// the end mark or gzip's checksum is missing), a member with an absolute path or '..', more members or bytes in all
/// than are read. A member that is large by itself is none: who reads it says how much is wanted.
class ArchiveReader {
 public:
  enum class Kind { kFile, kFolder, kOther };  // kOther: links and devices, which have no content of their own

  explicit ArchiveReader(const std::filesystem::path& path);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  /// Goes to the next member; false after the last, when the archive's end has been verified too.
  bool Next();

  const std::string& name() const { return name_; }  // without "./" and final '/'; UTF-8 where the archive says so
  Kind kind() const { return kind_; }
  int64_t size() const { return size_; }  // as the archive declares it; it may declare none (0)

  /// Adds to `bytes` until it holds `most` of this member's bytes, or all.
  void Read(int64_t most, std::string* bytes);

 private:
  struct Handle;
  [[noreturn]] void FailDamaged(std::string_view reason) const;
  void CheckMember();
  void CheckEnd();

  std::string where_;
  std::unique_ptr<Handle> handle_;
  std::string name_;
  Kind kind_ = Kind::kOther;
  int64_t size_ = 0;
  int64_t members_ = 0;
  int64_t total_bytes_ = 0;
};

}  // namespace spotter
