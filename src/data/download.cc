// SPDX-License-Identifier: Apache-2.0
// Downloads by libcurl into FILE.part, which becomes FILE only when its size and checksum are right.
#include "data/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostBytes = int64_t{64} << 30;  // where the size is not known
constexpr long kStallBytesPerSecond = 1000;
constexpr long kMaxRedirects = 5;
constexpr long kRangeNotSatisfiable = 416;

[[noreturn]] void FailSystem(const char* what, const fs::path& path) {
  Fail(ExitCode::kIo, "can't {} '{}': {}", what, Printable(path.string()), std::strerror(errno));
}

/// An open file that bytes are added to.
class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags)
      : path_(path), fd_(::open(path.c_str(), flags | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0) FailSystem("write", path);
  }
  ~OpenFile() { ::close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd() const { return fd_; }
  int64_t size() const {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) FailSystem("read", path_);
    return info.st_size;
  }
  bool Truncate() { return ::ftruncate(fd_, 0) == 0; }
  bool Append(const char* bytes, size_t n) {
    while (n > 0) {
      const ssize_t written = ::write(fd_, bytes, n);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      bytes += written;
      n -= static_cast<size_t>(written);
    }
    return true;
  }

 private:
  fs::path path_;
  int fd_;
};

/// One request, and what its callbacks (which must not throw) find out.
struct Transfer {
  CURL* curl = nullptr;
  OpenFile* part = nullptr;
  const Download* download = nullptr;
  const Progress* progress = nullptr;
  int64_t resumed_from = 0;
  int64_t written = 0;       // the size of the part file
  int64_t range_begin = -1;  // of the answer
  bool begun = false;
  std::string problem;  // our own reason to stop
};

size_t OnHeader(char* bytes, size_t size, size_t n, void* data) {
  auto* transfer = static_cast<Transfer*>(data);
  const std::string line = Lowercase(std::string_view(bytes, size * n));
  constexpr std::string_view kRange = "content-range: bytes ";
  if (line.starts_with("http/")) transfer->range_begin = -1;  // a new answer, after a redirect
  if (line.starts_with(kRange)) {
    const std::string_view rest = std::string_view(line).substr(kRange.size());
    transfer->range_begin = ParseInteger(rest.substr(0, rest.find('-'))).value_or(-1);
  }
  return size * n;
}

std::string OtherSize(int64_t bytes, int64_t expected) {
  return fmt::format("its size is {} bytes, not {}", WithThousands(bytes), WithThousands(expected));
}

/// Whether the first bytes of the answer belong where the part file ends, or are the whole file from its beginning.
bool Begin(Transfer* transfer) {
  long status = 0;
  curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
  if (status == 206) {
    if (transfer->range_begin == transfer->resumed_from) return true;
    transfer->problem = "it sent another range than was asked for";
    return false;
  }
  curl_off_t length = -1;  // as the answer says; -1: it does not
  curl_easy_getinfo(transfer->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  const int64_t expected = transfer->download->bytes;
  if (length >= 0 && expected > 0 && length != expected) {
    transfer->problem = OtherSize(length, expected);
    return false;
  }
  transfer->written = 0;  // the whole file, whatever was asked for
  if (transfer->part->Truncate()) return true;
  transfer->problem = std::strerror(errno);
  return false;
}

size_t OnData(char* bytes, size_t size, size_t n, void* data) {
  auto* transfer = static_cast<Transfer*>(data);
  if (!transfer->begun && !Begin(transfer)) return 0;
  transfer->begun = true;
  const int64_t expected = transfer->download->bytes;
  const int64_t most = expected > 0 ? expected : kMostBytes;
  transfer->written += static_cast<int64_t>(size * n);
  if (transfer->written > most) {
    transfer->problem = fmt::format("it sent more than {} bytes", WithThousands(most));
    return 0;
  }
  if (!transfer->part->Append(bytes, size * n)) {
    transfer->problem = fmt::format("can't write: {}", std::strerror(errno));
    return 0;
  }
  return size * n;
}

int OnProgress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* transfer = static_cast<const Transfer*>(data);
  if (*transfer->progress) {
    (*transfer->progress)("downloading " + transfer->download->file_name, transfer->written, transfer->download->bytes);
  }
  return 0;
}

void SetOptions(CURL* curl, const std::string& url, const DownloadLimits& limits, Transfer* transfer) {
  const bool secure = Lowercase(url).starts_with("https:");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "spotter");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(limits.connect_seconds));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.stall_seconds));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnData);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
  // A range rather than curl's resume: that fails where a server ignores it and sends the whole file.
  const std::string range = fmt::format("{}-", transfer->resumed_from);
  if (transfer->resumed_from > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
}

/// How one request ended. An empty reason: all of the answer is in the part file.
struct Outcome {
  std::string reason;
  bool bad_range = false;  // the part file is longer than the server's file
};

Outcome Request(const std::string& url, const Download& download, const Progress& progress,
                const DownloadLimits& limits, OpenFile* part) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(ready == CURLE_OK ? curl_easy_init() : nullptr, &curl_easy_cleanup);
  if (!curl) Fail(ExitCode::kInternal, "libcurl can't be used");
  Transfer transfer;
  transfer.curl = curl.get();
  transfer.part = part;
  transfer.download = &download;
  transfer.progress = &progress;
  transfer.resumed_from = transfer.written = part->size();
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, message);
  SetOptions(curl.get(), url, limits, &transfer);
  const CURLcode result = curl_easy_perform(curl.get());
  if (result == CURLE_OK) return {};
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (!transfer.problem.empty()) return {transfer.problem, false};
  return {message[0] != '\0' ? message : curl_easy_strerror(result), status == kRangeNotSatisfiable};
}

/// Why the file's size is not the one that is wanted; "" when it is, or when none is known.
std::string SizeMismatch(const Download& download, const fs::path& path) {
  std::error_code error;
  const auto bytes = static_cast<int64_t>(fs::file_size(path, error));
  if (error) Fail(ExitCode::kIo, "can't read '{}': {}", Printable(path.string()), error.message());
  return download.bytes > 0 && bytes != download.bytes ? OtherSize(bytes, download.bytes) : "";
}

/// The same for its content.
std::string Mismatch(const Download& download, const fs::path& path, const Progress& progress) {
  const std::string size = SizeMismatch(download, path);
  if (!size.empty()) return size;
  const std::string md5 = FileMd5(path, progress);
  return md5 == download.md5 ? "" : fmt::format("its MD5 is {}, not {}", md5, download.md5);
}

void FailUnless(const std::string& mismatch, const fs::path& path) {
  if (mismatch.empty()) return;
  Fail(ExitCode::kIo, "'{}' is not the file that is wanted: {}; remove it to have it downloaded again",
       Printable(path.string()), mismatch);
}

/// Fills the part file from one mirror. Returns why it could not, or "" when the part file is whole and
/// right.
std::string FetchFrom(const std::string& url, const Download& download, const fs::path& part_path,
                      const Progress& progress, const DownloadLimits& limits, OpenFile* part) {
  for (;;) {
    if (download.bytes > 0 && part->size() > download.bytes) part->Truncate();
    const bool resumed = part->size() > 0;
    if (!resumed || part->size() != download.bytes) {
      const Outcome outcome = Request(url, download, progress, limits, part);
      if (!outcome.reason.empty() && !(outcome.bad_range && resumed)) return outcome.reason;
    }
    const std::string mismatch = Mismatch(download, part_path, progress);
    if (mismatch.empty()) return "";
    if (!part->Truncate()) FailSystem("write", part_path);
    if (!resumed) return mismatch;
    // What was there before may be to blame: once more, from zero.
  }
}

void Publish(OpenFile* part, const fs::path& part_path, const fs::path& path) {
  if (::fsync(part->fd()) != 0) FailSystem("write", part_path);
  if (::rename(part_path.c_str(), path.c_str()) != 0) FailSystem("replace", path);
  SyncFolder(path.parent_path());
}

}  // namespace

void VerifySize(const Download& download, const fs::path& path) { FailUnless(SizeMismatch(download, path), path); }

void VerifyFile(const Download& download, const fs::path& path, const Progress& progress) {
  FailUnless(Mismatch(download, path, progress), path);
}

fs::path FetchFile(const Download& download, const fs::path& folder, const Progress& progress,
                   const DownloadLimits& limits) {
  MakeFolders(folder);
  const fs::path path = folder / download.file_name;
  const OpenFile lock(folder / (download.file_name + ".lock"), O_RDWR);
  if (::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (progress) progress("waiting for another process that downloads " + download.file_name, 0, 0);
    while (::flock(lock.fd(), LOCK_EX) != 0 && errno == EINTR) continue;
  }
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    VerifyFile(download, path, progress);
    return path;
  }
  const fs::path part_path = folder / (download.file_name + ".part");
  OpenFile part(part_path, O_RDWR | O_APPEND);
  std::vector<std::string> reasons;
  for (const std::string& url : download.mirrors) {
    const std::string reason = FetchFrom(url, download, part_path, progress, limits, &part);
    if (reason.empty()) {
      Publish(&part, part_path, path);
      return path;
    }
    reasons.push_back(fmt::format("{} ({})", url, Printable(reason)));
  }
  if (part.size() == 0) fs::remove(part_path, ignored);
  Fail(ExitCode::kIo, "can't download '{}'{}: {}; run again to go on, or put the file there yourself as '{}'",
       download.file_name,
       download.bytes > 0 ? fmt::format(" ({})", HumanBytes(static_cast<double>(download.bytes))) : "",
       Join(reasons, "; "), Printable(path.string()));
}

}  // namespace spotter
