// SPDX-License-Identifier: Apache-2.0
// Lists and reads the files below a folder.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/tree.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 64;
constexpr size_t kPeekBytes = 64 << 10;  // holds the header of nearly all images

/// A folder's identity, whatever name led there.
using FolderId = std::pair<dev_t, ino_t>;

class FolderTree : public FileTree {
 public:
  explicit FolderTree(const fs::path& folder) : root_(folder) {
    where_ = folder.string();
    std::vector<FolderId> above;
    List("", &above);
    const auto by_name = [](const TreeFile& a, const TreeFile& b) { return a.name < b.name; };
    std::sort(files_.begin(), files_.end(), by_name);
    std::sort(folders_.begin(), folders_.end());
  }

  std::vector<ImagePeek> Peek(int threads, const Progress& progress) override;
  void ReadEach(const std::vector<bool>& wanted, int64_t most_bytes, int threads, const Visit& visit) override;

 private:
  bool List(const std::string& inside, std::vector<FolderId>* above);
  bool Add(int folder, const std::string& name, std::vector<FolderId>* above);
  ImagePeek PeekFile(const TreeFile& file) const;

  fs::path root_;
};

[[noreturn]] void FailListing(const fs::path& folder, int error) {
  Fail(ExitCode::kIo, "can't list the folder '{}': {}", Printable(folder.string()), std::strerror(error));
}

/// The names in an open folder, hidden ones left out.
std::vector<std::string> NamesIn(DIR* folder, const fs::path& path) {
  std::vector<std::string> names;
  for (;;) {
    errno = 0;  // at the end readdir gives nothing and leaves it
    const dirent* entry = ::readdir(folder);
    if (entry == nullptr && errno != 0) FailListing(path, errno);
    if (entry == nullptr) return names;
    if (!IsHidden(entry->d_name)) names.emplace_back(entry->d_name);
  }
}

/// Whether a folder with these names is a run of Spotter.
bool IsRun(const std::vector<std::string>& names) {
  const auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return has("run.json") && has("checkpoints");
}

/// Lists the folder `inside` the root, named with a final '/', and those below. `above` holds the folders on the way.
/// False when none of it belongs to the data: it is a run, or holds nothing but runs.
bool FolderTree::List(const std::string& inside, std::vector<FolderId>* above) {
  const fs::path path = root_ / inside;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
  struct stat info {};
  if (!folder || ::fstat(::dirfd(folder.get()), &info) != 0) FailListing(path, errno);
  const FolderId id(info.st_dev, info.st_ino);
  if (std::find(above->begin(), above->end(), id) != above->end()) return true;  // a link to a folder that it lies in
  if (above->size() >= kMaxDepth) {
    Fail(ExitCode::kData, "'{}' lies more than {} folders deep; expected an image folder", Printable(path.string()),
         kMaxDepth);
  }
  const std::vector<std::string> names = NamesIn(folder.get(), path);
  const bool is_root = inside.empty();
  if (!is_root && IsRun(names)) return false;
  if (!is_root) folders_.push_back(inside.substr(0, inside.size() - 1));
  above->push_back(id);
  bool has_data = names.empty();
  for (const std::string& name : names) has_data |= Add(::dirfd(folder.get()), inside + name, above);
  above->pop_back();
  if (!is_root && !has_data) folders_.pop_back();  // the runs in it have left nothing behind it
  return has_data;
}

/// `folder`: the open folder that the file lies in; a short path from there is found faster than one from the root.
/// False when it is passed over, as List.
bool FolderTree::Add(int folder, const std::string& name, std::vector<FolderId>* above) {
  if (static_cast<int64_t>(files_.size() + folders_.size()) >= kMaxTreeEntries) {
    Fail(ExitCode::kData, "'{}' holds more than {} files, the most that are read; give a folder with fewer",
         Printable(where_), WithThousands(kMaxTreeEntries));
  }
  TreeFile file;
  file.name = name;
  struct stat info {};
  if (::fstatat(folder, BaseName(name).data(), &info, 0) != 0) {
    file.problem = fmt::format("can't be opened: {}", std::strerror(errno));
  } else if (S_ISDIR(info.st_mode)) {
    return List(name + '/', above);
  } else if (!S_ISREG(info.st_mode)) {
    file.problem = "not a regular file";  // opening a pipe would wait for ever
  }
  const auto nanoseconds = [](const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  file.size = info.st_size;
  file.modified = nanoseconds(info.st_mtim);
  file.changed = nanoseconds(info.st_ctim);
  files_.push_back(std::move(file));
  return true;
}

/// Up to `most` bytes from the beginning of a file.
std::string ReadBeginning(const fs::path& path, size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail(ExitCode::kData, "can't be opened: {}", std::strerror(errno));
  std::string bytes(most, '\0');
  const ssize_t n = ::pread(fd, bytes.data(), most, 0);
  const int error = errno;
  ::close(fd);
  if (n < 0) Fail(ExitCode::kData, "can't be read: {}", std::strerror(error));
  bytes.resize(static_cast<size_t>(n));
  return bytes;
}

ImagePeek FolderTree::PeekFile(const TreeFile& file) const {
  if (!file.problem.empty()) return PeekAtProblem(file);
  try {
    const auto size = static_cast<size_t>(file.size);
    const std::string beginning = ReadBeginning(root_ / file.name, std::min(kPeekBytes, size));
    ImagePeek peek = PeekAt(file.name, beginning);
    const bool may_continue = peek.kind == ImagePeek::Kind::kUnusable && LooksLikeImage(beginning);
    if (!may_continue || size <= kPeekBytes || file.size > kMaxFileBytes) return peek;
    return PeekAt(file.name, ReadBeginning(root_ / file.name, size));
  } catch (const Error& error) {
    TreeFile unreadable = file;
    unreadable.problem = error.what();
    return PeekAtProblem(unreadable);
  }
}

std::vector<ImagePeek> FolderTree::Peek(int threads, const Progress& progress) {
  std::vector<ImagePeek> peeks(files_.size());
  std::atomic<int64_t> done{0};
  ParallelFor(static_cast<int64_t>(files_.size()), threads, [&](int64_t i) {
    peeks[i] = PeekFile(files_[i]);
    const int64_t now = ++done;
    if (progress) progress("looking at files", now, static_cast<int64_t>(files_.size()));
  });
  return peeks;
}

void FolderTree::ReadEach(const std::vector<bool>& wanted, int64_t most_bytes, int threads, const Visit& visit) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (wanted[i]) indices.push_back(i);
  }
  ParallelFor(static_cast<int64_t>(indices.size()), threads, [&](int64_t k) {
    const size_t i = indices[k];
    std::string content;
    std::string problem = files_[i].size > most_bytes ? LargerThan(most_bytes) : files_[i].problem;
    try {
      if (problem.empty()) content = ReadFile(root_ / files_[i].name, static_cast<size_t>(most_bytes));
    } catch (const Error& error) {
      problem = error.what();
    }
    visit(i, std::move(content), problem);
  });
}

}  // namespace

std::unique_ptr<FileTree> OpenFolder(const fs::path& folder) { return std::make_unique<FolderTree>(folder); }

}  // namespace spotter
