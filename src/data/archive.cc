// SPDX-License-Identifier: Apache-2.0
// libarchive, with zlib in front for gzip: libarchive does not verify gzip's checksum, zlib does.
#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "data/tree.h"

namespace spotter {
namespace {

constexpr int64_t kMaxTotalBytes = int64_t{64} << 30;
constexpr int64_t kMaxBytesAfterEnd = int64_t{64} << 20;
constexpr size_t kPieceBytes = 1 << 20;

bool BeginsAsGzip(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return file.get() == 0x1f && file.get() == 0x8b;
}

/// While one of these lives, this thread's locale is UTF-8. libarchive turns the names of members into the locale's
/// encoding and gives nothing for a name that it can't hold; in the "C" locale, in which programs start, that is every
/// name in UTF-8 that is not plain ASCII. A system without such a locale keeps its own.
class Utf8Locale {
 public:
  Utf8Locale() : before_(Utf8() != locale_t{} ? ::uselocale(Utf8()) : locale_t{}) {}
  ~Utf8Locale() {
    if (before_ != locale_t{}) ::uselocale(before_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t Utf8() {
    static const locale_t utf8 = [] {
      const locale_t own = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
      return own != locale_t{} ? own : ::newlocale(LC_CTYPE_MASK, "en_US.UTF-8", locale_t{});
    }();
    return utf8;
  }
  locale_t before_;
};

/// The archive's name for a member; nullptr when it has none, or none that the locale can hold.
const char* PathName(archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  return name != nullptr ? name : archive_entry_pathname_utf8(entry);
}

const char* Reason(archive* reader) {
  const char* reason = archive_error_string(reader);
  return reason != nullptr ? reason : "no reason is given";
}

/// The last bytes of a file, `most` of them where there are so many.
std::string Tail(const std::string& path, size_t most) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0));
  std::string bytes(std::min(most, size), '\0');
  file.seekg(-static_cast<std::streamoff>(bytes.size()), std::ios::end);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file ? bytes : "";
}

constexpr size_t kTarBlock = 512;

/// A tar ends with blocks of zeros.
bool EndsAsTar(const std::string& tail) {
  return tail.size() == kTarBlock && tail.find_first_not_of('\0') == std::string::npos;
}

constexpr size_t kZipEnd = 22;                    // its end record
constexpr size_t kMostZipEnd = kZipEnd + 0xffff;  // and a comment

/// A zip ends with a record that is followed by as long a comment as it says.
bool EndsAsZip(const std::string& tail) {
  const size_t at = tail.rfind("PK\x05\x06");
  if (at == std::string::npos || tail.size() - at < kZipEnd) return false;
  const size_t comment = static_cast<uint8_t>(tail[at + 20]) | static_cast<uint8_t>(tail[at + 21]) << 8;
  return tail.size() - at >= kZipEnd + comment;
}

}  // namespace

struct ArchiveReader::Handle {
  archive* reader = archive_read_new();
  archive_entry* entry = nullptr;
  gzFile gzip = nullptr;
  std::vector<char> piece;

  ~Handle() {
    archive_read_free(reader);
    if (gzip != nullptr) gzclose(gzip);
  }

  /// The next bytes under gzip: their number, 0 at the verified end, -1 after putting the reason into
  /// `reason`.
  int Inflate(std::string* reason) {
    const int n = gzread(gzip, piece.data(), static_cast<unsigned>(piece.size()));
    int code = Z_OK;
    const char* text = gzerror(gzip, &code);  // a cut file gives its last bytes, and only then the error
    if (n >= 0 && (code == Z_OK || code == Z_STREAM_END)) return n;
    *reason = code == Z_BUF_ERROR ? "the gzip data ends too early" : text;
    return -1;
  }

  static la_ssize_t OnRead(archive* reader, void* data, const void** buffer) {
    auto* handle = static_cast<Handle*>(data);
    std::string reason;
    const int n = handle->Inflate(&reason);
    *buffer = handle->piece.data();
    if (n < 0) archive_set_error(reader, EIO, "%s", reason.c_str());
    return n;
  }
};

ArchiveReader::ArchiveReader(const std::filesystem::path& path)
    : where_(path.string()), handle_(std::make_unique<Handle>()) {
  const Utf8Locale utf8;
  archive* reader = handle_->reader;
  archive_read_support_format_tar(reader);
  archive_read_support_format_zip(reader);
  int result = ARCHIVE_OK;
  if (BeginsAsGzip(where_)) {
    handle_->gzip = gzopen(where_.c_str(), "rbe");
    if (handle_->gzip == nullptr) {
      Fail(ExitCode::kIo, "can't read '{}': {}", Printable(where_), std::strerror(errno));
    }
    gzbuffer(handle_->gzip, 256 << 10);
    handle_->piece.resize(kPieceBytes);
    result = archive_read_open(reader, handle_.get(), nullptr, &Handle::OnRead, nullptr);
  } else {
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_zstd(reader);
    result = archive_read_open_filename(reader, where_.c_str(), kPieceBytes);
  }
  if (result != ARCHIVE_OK) FailDamaged(Reason(reader));
}

ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::FailDamaged(std::string_view reason) const {
  if (members_ == 0) {
    Fail(ExitCode::kData,
         "'{}' is not a tar or zip archive, or is damaged ({}); expected .tar, .tar.gz, .tgz or .zip, or the "
         "folder of IDX or CIFAR-10 files",
         Printable(where_), Printable(reason));
  }
  Fail(ExitCode::kData, "'{}' is damaged or cut short after {} members ({}); get the file again", Printable(where_),
       WithThousands(members_), Printable(reason));
}

bool ArchiveReader::Next() {
  const Utf8Locale utf8;
  for (;;) {
    const int result = archive_read_next_header(handle_->reader, &handle_->entry);
    if (result == ARCHIVE_EOF) {
      CheckEnd();
      return false;
    }
    // ARCHIVE_WARN: mostly a name that the locale can't hold; it has been read all the same.
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) FailDamaged(Reason(handle_->reader));
    CheckMember();
    if (!name_.empty()) return true;  // "./", the top itself, says nothing
  }
}

/// Takes over the member's name, kind and size, and refuses what no honest data set holds.
void ArchiveReader::CheckMember() {
  if (archive_entry_is_encrypted(handle_->entry) != 0) {
    Fail(ExitCode::kData, "'{}' can't be read: it is encrypted; unpack it and give the folder", Printable(where_));
  }
  const char* raw = PathName(handle_->entry);
  if (raw == nullptr || *raw == '\0') FailDamaged("a member has no name that can be read");
  name_.clear();
  for (const std::string_view part : Split(raw, '/')) {
    if (part == "..") {
      Fail(ExitCode::kData,
           "'{}' holds '{}', whose path leaves the archive; expected paths without '..'; don't trust this "
           "file",
           Printable(where_), Printable(raw));
    }
    if (part.empty() || part == ".") continue;
    if (!name_.empty()) name_ += '/';
    name_ += part;
  }
  if (*raw == '/') {
    Fail(ExitCode::kData, "'{}' holds '{}', an absolute path; expected paths inside the archive; don't trust this file",
         Printable(where_), Printable(raw));
  }
  const bool linked = archive_entry_hardlink(handle_->entry) != nullptr;
  const auto type = archive_entry_filetype(handle_->entry);
  kind_ = type == AE_IFDIR ? Kind::kFolder : type == AE_IFREG && !linked ? Kind::kFile : Kind::kOther;
  size_ = kind_ == Kind::kFile ? archive_entry_size(handle_->entry) : 0;
  if (size_ < 0) FailDamaged("a member of negative size");
  if (++members_ > kMaxTreeEntries || size_ > kMaxTotalBytes - total_bytes_) {
    Fail(ExitCode::kData, "'{}' is too large: more than {} members or {} in all; unpack it and give the folder",
         Printable(where_), WithThousands(kMaxTreeEntries), HumanBytes(static_cast<double>(kMaxTotalBytes)));
  }
  total_bytes_ += size_;
}

void ArchiveReader::Read(int64_t most, std::string* bytes) {
  const Utf8Locale utf8;
  const size_t room = kind_ == Kind::kFile ? static_cast<size_t>(most) : 0;
  while (bytes->size() < room) {
    // A declared size may be a lie; memory is taken as bytes come, in pieces.
    const size_t declared = std::max<size_t>(static_cast<size_t>(size_) + 1, 4096);
    const size_t step = std::min({room - bytes->size(), declared, kPieceBytes});
    const size_t have = bytes->size();
    bytes->resize(have + step);
    const la_ssize_t n = archive_read_data(handle_->reader, bytes->data() + have, step);
    if (n < 0) FailDamaged(fmt::format("in '{}': {}", name_, Reason(handle_->reader)));
    bytes->resize(have + static_cast<size_t>(n));
    if (n == 0) break;
  }
}

/// A file that was cut between two members reads without an error: what must follow the last member tells.
void ArchiveReader::CheckEnd() {
  std::string reason;
  for (int64_t total = 0; handle_->gzip != nullptr;) {
    const int n = handle_->Inflate(&reason);
    if (n == 0) break;
    total += n;
    if (n < 0) FailDamaged(reason);
    if (total > kMaxBytesAfterEnd) FailDamaged("much data after its end");
  }
  if (handle_->gzip != nullptr || archive_filter_count(handle_->reader) > 1) return;  // the compression has its own end
  const int format = archive_format(handle_->reader) & ARCHIVE_FORMAT_BASE_MASK;
  const bool whole =
      format == ARCHIVE_FORMAT_ZIP ? EndsAsZip(Tail(where_, kMostZipEnd)) : EndsAsTar(Tail(where_, kTarBlock));
  if (!whole) FailDamaged("the end mark is missing");
}

}  // namespace spotter
