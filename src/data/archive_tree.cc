// SPDX-License-Identifier: Apache-2.0
// The files of an archive. It is read from its beginning each time: once to list it, once more for the
// content wanted.
#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/archive.h"
#include "data/tree.h"

namespace spotter {
namespace {

constexpr size_t kSniffBytes = 64;
constexpr size_t kChunkBytes = 64 << 20;  // of content in memory at once, and a file more
constexpr size_t kChunkFiles = 4096;

class ArchiveTree : public FileTree {
 public:
  ArchiveTree(const std::filesystem::path& path, const Progress& progress);

  std::vector<ImagePeek> Peek(int, const Progress&) override { return peeks_; }
  void ReadEach(const std::vector<bool>& wanted, int64_t most_bytes, int threads, const Visit& visit) override;

 private:
  void Add(ArchiveReader* reader);

  std::filesystem::path path_;
  std::vector<ImagePeek> peeks_;
  std::vector<size_t> order_;  // the index in files_ of each file in the archive's own order
};

ArchiveTree::ArchiveTree(const std::filesystem::path& path, const Progress& progress) : path_(path) {
  where_ = path.string();
  std::set<std::string> folders;
  ArchiveReader reader(path);
  while (reader.Next()) {
    if (HasHiddenPart(reader.name())) continue;
    if (reader.kind() == ArchiveReader::Kind::kFolder) {
      folders.insert(reader.name());
    } else {
      Add(&reader);
    }
    if (progress) progress("listing the archive", static_cast<int64_t>(files_.size()), 0);
  }
  folders_.assign(folders.begin(), folders.end());

  std::vector<size_t> by_name(files_.size());
  for (size_t i = 0; i < by_name.size(); ++i) by_name[i] = i;
  std::sort(by_name.begin(), by_name.end(), [&](size_t a, size_t b) { return files_[a].name < files_[b].name; });
  std::vector<TreeFile> files;
  std::vector<ImagePeek> peeks;
  order_.resize(by_name.size());
  for (const size_t i : by_name) {
    order_[i] = files.size();
    files.push_back(std::move(files_[i]));
    peeks.push_back(std::move(peeks_[i]));
    if (files.size() < 2 || files.back().name != files[files.size() - 2].name) continue;
    Fail(ExitCode::kData, "'{}' holds '{}' twice; expected each file once; make the archive anew", Printable(where_),
         Printable(files.back().name));
  }
  files_ = std::move(files);
  peeks_ = std::move(peeks);
}

void ArchiveTree::Add(ArchiveReader* reader) {
  TreeFile file;
  file.name = reader->name();
  file.size = reader->size();
  std::string bytes;
  if (reader->kind() == ArchiveReader::Kind::kFile) {
    reader->Read(kSniffBytes, &bytes);
  } else {
    file.problem = "a link or device in the archive, which is not followed";
  }
  if (LooksLikeImage(bytes)) {
    if (file.size <= kMaxFileBytes) reader->Read(kMaxFileBytes + 1, &bytes);
    if (std::max(file.size, static_cast<int64_t>(bytes.size())) > kMaxFileBytes) {
      file.problem = LargerThan(kMaxFileBytes);
    }
  }
  peeks_.push_back(file.problem.empty() ? PeekAt(file.name, bytes) : PeekAtProblem(file));
  files_.push_back(std::move(file));
}

void ArchiveTree::ReadEach(const std::vector<bool>& wanted, int64_t most_bytes, int threads, const Visit& visit) {
  struct Content {
    size_t index;
    std::string bytes;
    std::string problem;
  };
  std::vector<Content> chunk;
  size_t chunk_bytes = 0;
  const auto flush = [&] {
    ParallelFor(static_cast<int64_t>(chunk.size()), threads,
                [&](int64_t k) { visit(chunk[k].index, std::move(chunk[k].bytes), chunk[k].problem); });
    chunk.clear();
    chunk_bytes = 0;
  };
  const auto fail_changed = [&] {
    Fail(ExitCode::kIo, "'{}' was changed while it was read; run again", Printable(where_));
  };
  size_t position = 0;
  for (ArchiveReader reader(path_); reader.Next();) {
    if (reader.kind() == ArchiveReader::Kind::kFolder || HasHiddenPart(reader.name())) continue;
    if (position >= order_.size() || files_[order_[position]].name != reader.name()) fail_changed();
    const size_t index = order_[position++];
    if (!wanted[index]) continue;
    Content& content = chunk.emplace_back(Content{index, {}, files_[index].problem});
    if (content.problem.empty() && reader.size() <= most_bytes) reader.Read(most_bytes + 1, &content.bytes);
    if (reader.size() > most_bytes || static_cast<int64_t>(content.bytes.size()) > most_bytes) {
      content = {index, {}, LargerThan(most_bytes)};
    }
    chunk_bytes += content.bytes.size();
    if (chunk_bytes >= kChunkBytes || chunk.size() >= kChunkFiles) flush();
  }
  flush();
  if (position != order_.size()) fail_changed();
}

}  // namespace

std::unique_ptr<FileTree> OpenArchive(const std::filesystem::path& archive, const Progress& progress) {
  return std::make_unique<ArchiveTree>(archive, progress);
}

}  // namespace spotter
