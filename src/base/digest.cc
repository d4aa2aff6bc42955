// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace spotter {
namespace {

/// Calls consume(bytes) for each piece of a file in turn. `doing` is the word for the progress.
template <typename Consume>
void ReadInPieces(const std::filesystem::path& path, const char* doing, const Progress& progress, Consume consume) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) Fail(ExitCode::kIo, "can't read '{}': {}", Printable(path.string()), std::strerror(errno));
  std::error_code unknown;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path, unknown));
  const std::string what = fmt::format("{} {}", doing, Printable(path.filename().string()));
  std::vector<char> piece(1 << 20);
  int64_t done = 0;
  while (const size_t n = std::fread(piece.data(), 1, piece.size(), file.get())) {
    consume(std::string_view(piece.data(), n));
    done += static_cast<int64_t>(n);
    if (progress) progress(what, done, unknown ? 0 : size);
  }
  if (std::ferror(file.get()) != 0) {
    Fail(ExitCode::kIo, "can't read '{}': {}", Printable(path.string()), std::strerror(errno));
  }
}

}  // namespace

std::string FileMd5(const std::filesystem::path& path, const Progress& progress) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr);
  ReadInPieces(path, "checking", progress,
               [&](std::string_view bytes) { EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()); });
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest, &length);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

struct FastHash::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};

FastHash::FastHash() : state_(std::make_unique<State>()) { XXH3_64bits_reset(state_->xxh); }
FastHash::~FastHash() = default;
void FastHash::Add(std::string_view bytes) { XXH3_64bits_update(state_->xxh, bytes.data(), bytes.size()); }
void FastHash::AddNumber(int64_t number) { XXH3_64bits_update(state_->xxh, &number, sizeof number); }
void FastHash::AddFile(const std::filesystem::path& path, const Progress& progress) {
  ReadInPieces(path, "reading", progress, [&](std::string_view bytes) { Add(bytes); });
}
std::string FastHash::Hex() const { return fmt::format("{:016x}", XXH3_64bits_digest(state_->xxh)); }

}  // namespace spotter
