// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>

#include "base/error.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void FailWith(const char* what, const fs::path& path, int error) {
  const char* next = error == ENOSPC || error == EDQUOT ? "; free some space" : "";
  Fail(ExitCode::kIo, "can't {} '{}': {}{}", what, path.string(), std::strerror(error), next);
}

struct Closer {
  int fd;
  ~Closer() { ::close(fd); }
};

void WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    // One write() moves at most 2 GiB; smaller steps also notice a full disk early.
    const ssize_t n = ::write(fd, bytes.data(), std::min<size_t>(bytes.size(), size_t{64} << 20));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) FailWith("write", path, errno);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

/// A new file beside `target`, closed and removed again unless it takes the target's place. Its name is random rather
/// than made of the process number: a container gives the same number at each start, and what a killed process left
/// would be in the way. Errors name the target, which is what the user knows.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) : target_(target) {
    constexpr int kAttempts = 100;
    for (int attempt = 1; fd_ < 0; ++attempt) {
      path_ = target.parent_path() / fmt::format(".{}.tmp.{:08x}", target.filename().string(), std::random_device()());
      fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
      if (fd_ < 0 && (errno != EEXIST || attempt == kAttempts)) FailWith("create", target_, errno);
    }
  }
  ~TemporaryFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!kept_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int fd() const { return fd_; }
  void TakePlace() {
    if (::fsync(fd_) != 0) FailWith("write", target_, errno);
    const int closed = ::close(fd_);
    fd_ = -1;
    if (closed != 0) FailWith("write", target_, errno);
    if (::rename(path_.c_str(), target_.c_str()) != 0) FailWith("replace", target_, errno);
    kept_ = true;
  }

 private:
  fs::path target_;
  fs::path path_;
  int fd_ = -1;
  bool kept_ = false;
};

/// A device or a pipe (/dev/stdout), which can't be replaced by a file: the bytes go into it. False for anything else.
bool WriteToStream(const fs::path& path, std::span<const std::string_view> pieces) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (!S_ISCHR(info.st_mode) && !S_ISFIFO(info.st_mode))) return false;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) FailWith("write", path, errno);
  const Closer closer{fd};
  for (const std::string_view piece : pieces) WriteAll(fd, piece, path);
  return true;
}

/// The home that the system knows for this user; empty when there is none (a service, a container's bare number).
fs::path HomeOfUser() {
  const passwd* user = ::getpwuid(::geteuid());
  std::error_code ignored;
  return user != nullptr && fs::is_directory(user->pw_dir, ignored) ? fs::path(user->pw_dir) : fs::path();
}

/// A folder of this user's in the temporary one. Anybody may make folders there, so another's is not trusted: its owner
/// could put data into it.
fs::path PrivateTemporaryFolder() {
  std::error_code error;
  fs::path folder = fs::temp_directory_path(error);
  if (error) folder = "/tmp";
  folder /= fmt::format("spotter-cache-{}", ::geteuid());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) FailWith("create the folder", folder, errno);
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) FailWith("read", folder, errno);
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) {
    Fail(ExitCode::kIo, "'{}' is not a folder of this user's; set SPOTTER_CACHE to a folder for data sets",
         folder.string());
  }
  return folder;
}

/// What is there, a name that nothing bears included.
fs::file_status Status(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error && status.type() == fs::file_type::none)
    Fail(ExitCode::kIo, "can't look at '{}': {}", path.string(), error.message());
  return status;
}

}  // namespace

std::string ReadFile(const fs::path& path, size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) FailWith("read", path, errno);
  const Closer closer{fd};
  struct stat info {};
  if (::fstat(fd, &info) != 0) FailWith("read", path, errno);
  if (S_ISDIR(info.st_mode)) FailWith("read", path, EISDIR);
  const auto too_large = [&](size_t bytes) {
    if (max_bytes > 0 && bytes > max_bytes) {
      Fail(ExitCode::kIo, "'{}' is larger than {} bytes, the most that is read here", path.string(), max_bytes);
    }
  };
  too_large(static_cast<size_t>(info.st_size));
  std::string content(static_cast<size_t>(info.st_size), '\0');
  size_t have = 0;
  for (;;) {  // also right for files whose size the system does not know (pipes, /proc)
    if (have == content.size()) {
      char more[4096];
      const ssize_t n = ::read(fd, more, sizeof more);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) FailWith("read", path, errno);
      if (n == 0) break;
      content.append(more, static_cast<size_t>(n));
      have = content.size();
      too_large(have);
      continue;
    }
    const ssize_t n = ::read(fd, content.data() + have, content.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) FailWith("read", path, errno);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  content.resize(have);
  return content;
}

void WriteFileAtomically(const fs::path& path, std::span<const std::string_view> pieces) {
  if (WriteToStream(path, pieces)) return;
  TemporaryFile file(path);
  for (const std::string_view piece : pieces) WriteAll(file.fd(), piece, path);
  file.TakePlace();
  SyncFolder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void WriteFileAtomically(const fs::path& path, std::string_view content) {
  WriteFileAtomically(path, std::span(&content, 1));
}

void SyncFolder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) FailWith("open", folder, errno);
  const int synced = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  // Some file systems (network, FUSE) can't sync a folder and say EINVAL; there is nothing more to do there.
  if (synced != 0 && error != EINVAL) FailWith("sync", folder, error);
}

bool PathExists(const fs::path& path) { return fs::exists(Status(path)); }
bool IsFile(const fs::path& path) { return fs::is_regular_file(Status(path)); }
bool IsFolder(const fs::path& path) { return fs::is_directory(Status(path)); }

std::string LastName(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

void MakeFolders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) FailWith("create the folder", folder, error.value());
}

fs::path CacheFolder() {
  const auto variable = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
  };
  if (const fs::path cache = variable("SPOTTER_CACHE"); !cache.empty()) return cache;
  if (const fs::path xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return xdg / "spotter";
  for (const fs::path& home : {variable("HOME"), HomeOfUser()}) {
    if (!home.empty()) return home / ".cache" / "spotter";
  }
  return PrivateTemporaryFolder();
}

}  // namespace spotter
