// SPDX-License-Identifier: Apache-2.0
// The files of a data set, whether they lie in a folder or in an archive: one listing, one way to read them.
//
// Nothing is ever written to disk. Hidden files (see IsHidden) are left out everywhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "data/image.h"

namespace spotter {

inline constexpr int64_t kMaxTreeEntries = 2'000'000;
inline constexpr int64_t kMaxFileBytes = int64_t{256} << 20;  // of an image, or of one of CIFAR-10's batches

/// What the beginning of a file says about it.
struct ImagePeek {
  enum class Kind { kOther, kImage, kUnusable };  // kUnusable: named as an image or begun as one, but not readable
  Kind kind = Kind::kOther;
  ImageShape shape;    // kImage
  std::string reason;  // kUnusable
};

struct TreeFile {
  std::string name;  // path inside the tree, parts divided by '/', none of them "." or ".."
  int64_t size = 0;
  int64_t modified = 0;  // nanoseconds; 0 in an archive. Programs may set it to any time (cp -p, tar, touch) ...
  int64_t changed = 0;   // ... but not this one (ctime): whatever touches the file moves it
  std::string problem;   // why it has no content: a link into nowhere, a device. Empty: it has.
};

class FileTree {
 public:
  virtual ~FileTree() = default;

  const std::string& where() const { return where_; }                   // for messages: the path that was given
  const std::vector<TreeFile>& files() const { return files_; }         // by name
  const std::vector<std::string>& folders() const { return folders_; }  // by name

  /// What each file is. Damage that a header does not show comes out when the image is decoded. Calls `progress` from
  /// several threads at once.
  virtual std::vector<ImagePeek> Peek(int threads, const Progress& progress) = 0;

  /// Calls visit(i, content, problem) once for each file i that is wanted, in any order, from several threads at once.
  /// `problem` is empty, or says why the file can't be read (it may be larger than `most_bytes`), and then the content
  /// is empty. Throws Error(kIo) when an archive is no longer the one that was listed.
  using Visit = std::function<void(size_t i, std::string content, const std::string& problem)>;
  virtual void ReadEach(const std::vector<bool>& wanted, int64_t most_bytes, int threads, const Visit& visit) = 0;

 protected:
  std::string where_;
  std::vector<TreeFile> files_;
  std::vector<std::string> folders_;
};

/// Lists a folder. Links are followed, except into a folder that the link lies in. Spotter's own runs (a folder with a
/// run.json and checkpoints, as `cd pictures; spotter train .` makes below the pictures) are passed over, and so is a
/// folder with nothing but such folders. Throws Error(kIo, kData).
std::unique_ptr<FileTree> OpenFolder(const std::filesystem::path& folder);

/// Lists an archive, as ArchiveReader does.
std::unique_ptr<FileTree> OpenArchive(const std::filesystem::path& archive, const Progress& progress);

/// Files and folders that programs and systems leave behind and that no user means: .*, __MACOSX, Thumbs.db,
/// desktop.ini, @eaDir, lost+found, $RECYCLE.BIN, System Volume Information.
bool IsHidden(std::string_view name);  // one part of a path
bool HasHiddenPart(std::string_view path);

/// The last part of a path.
std::string_view BaseName(std::string_view path);

/// What a file is, by its first bytes or all of them. kUnusable when the bytes end within the header.
ImagePeek PeekAt(std::string_view name, std::string_view bytes);
/// The same for a file without content.
ImagePeek PeekAtProblem(const TreeFile& file);

/// TreeFile::problem of a file with more bytes than are read.
std::string LargerThan(int64_t most_bytes);

}  // namespace spotter
