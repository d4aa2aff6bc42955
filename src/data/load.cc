// SPDX-License-Identifier: Apache-2.0
// Puts it together: find, try the cache, recognise, read, keep in the cache.
#include "data/load.h"

#include <sys/stat.h>

#include <array>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "data/cache.h"
#include "data/description.h"
#include "data/find.h"
#include "data/layouts.h"
#include "data/recognise.h"
#include "data/tree.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

/// The same progress, at most ten times a second and from the calling thread only. A change of `what` is always told.
Progress Throttled(const Progress& progress) {
  if (!progress) return {};
  using Clock = std::chrono::steady_clock;
  struct State {
    Clock::time_point next{};
    std::string what;
  };
  return [progress, caller = std::this_thread::get_id(), state = std::make_shared<State>()](
             const std::string& what, int64_t done, int64_t total) {
    if (std::this_thread::get_id() != caller) return;
    const Clock::time_point now = Clock::now();
    if (now < state->next && what == state->what) return;
    state->next = now + std::chrono::milliseconds(100);
    state->what = what;
    progress(what, done, total);
  };
}

/// Adds what tells a folder's content from another's: official files by their content; an image folder by its files'
/// names, sizes and times, as reading all would take long.
void HashFolder(const FileTree& tree, const fs::path& folder, const Progress& progress, FastHash* hash) {
  const Recognised recognised = Recognise(tree);
  hash->Add(LayoutName(recognised.layout));
  for (const size_t i : OfficialFiles(tree, recognised)) {
    hash->Add(tree.files()[i].name);
    hash->AddFile(folder / tree.files()[i].name, progress);
  }
  if (recognised.layout != Layout::kImageFolder) return;
  for (const TreeFile& file : tree.files()) {
    hash->AddNumber(static_cast<int64_t>(file.name.size()));
    hash->Add(file.name);
    for (const int64_t n : {file.size, file.modified, file.changed}) hash->AddNumber(n);
  }
}

/// The key under which the decoded images are kept: what is read, and everything that changes the pixels. `tree` is
/// nullptr for an archive.
std::string KeyOf(const FileTree* tree, const fs::path& path, const LoadOptions& options, const Progress& progress) {
  FastHash hash;
  if (tree != nullptr) {
    HashFolder(*tree, path, progress, &hash);
  } else {
    hash.AddFile(path, progress);
  }
  hash.AddNumber(kCacheVersion);
  hash.AddNumber(options.shape.height != 0 ? 0 : options.image_size);
  for (const int n : {options.shape.height, options.shape.width, options.shape.channels}) hash.AddNumber(n);
  hash.AddNumber(static_cast<int64_t>(options.resize));
  return hash.Hex();
}

/// What changes when somebody writes to a file, or puts another in its place.
std::array<int64_t, 6> StateOf(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {static_cast<int64_t>(info.st_ino),
          info.st_size,
          info.st_mtim.tv_sec,
          info.st_mtim.tv_nsec,
          info.st_ctim.tv_sec,
          info.st_ctim.tv_nsec};
}

Dataset ReadTree(FileTree* tree, const LoadOptions& options, const Progress& progress) {
  const Recognised recognised = Recognise(*tree);
  const auto read = [&]() -> Dataset {
    switch (recognised.layout) {
      case Layout::kCifarBinary:
        return ReadCifarBinary(tree, recognised.folder, options, progress);
      case Layout::kCifarPython:
        return ReadCifarPython(tree, recognised.folder, options, progress);
      case Layout::kIdx:
        return ReadIdx(tree, recognised.folder, options, progress);
      case Layout::kImageFolder:
        break;
    }
    return ReadImageFolder(tree, options, progress);
  };
  Dataset data = read();
  data.layout = LayoutName(recognised.layout);
  return data;
}

/// A data set whose skipped files were allowed when it was cached, but are not now.
bool BreaksStrict(const Dataset& data, const LoadOptions& options) { return options.strict && !data.skipped.empty(); }

void CheckOptions(const LoadOptions& options) {
  if (options.image_size < 0 || options.image_size > kMaxImageSide) {
    Fail(ExitCode::kUsage, "the image size is {}; expected 0 (chosen for you) to {}", options.image_size,
         kMaxImageSide);
  }
  const auto [height, width, channels] = options.shape;
  const bool usable =
      height > 0 && height <= kMaxImageSide && width > 0 && width <= kMaxImageSide && (channels == 1 || channels == 3);
  if (height != 0 && !usable) {
    Fail(ExitCode::kUsage, "images can't be made {} x {} x {}; expected sides of 1 to {} and 1 or 3 channels", height,
         width, channels, kMaxImageSide);
  }
}

/// Says what a single file is, where it is something that users give in place of a data set.
void CheckMayBeArchive(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    Fail(ExitCode::kData, "'{}' is neither a folder nor a regular file; expected an image folder or an archive of one",
         Printable(path.string()));
  }
  std::string beginning(64, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  beginning.resize(static_cast<size_t>(file.gcount()));
  constexpr std::string_view kIdx("\0\0\x08", 3);
  if (LooksLikeImage(beginning) || beginning.starts_with(kIdx)) {
    Fail(ExitCode::kData, "'{}' is {}, not a data set; give the folder that holds the data set",
         Printable(path.string()), LooksLikeImage(beginning) ? "one image" : "one IDX file");
  }
}

/// Keeps a data set for the next time, or says why not.
void Keep(const std::string& key, const Dataset& data, int threads, const Progress& progress) {
  try {
    if (progress) progress("keeping the decoded images", 0, 0);
    WriteCache(key, data, threads);
  } catch (const Error& error) {
    if (progress) progress(fmt::format("warning: the decoded images are not kept: {}", error.what()), 0, 0);
  }
}

}  // namespace

Dataset LoadDataset(const std::string& data, const LoadOptions& options, const Progress& given_progress) {
  CheckOptions(options);
  const Progress progress = Throttled(given_progress);
  const FoundData found = FindData(data, progress);
  std::error_code ignored;
  std::unique_ptr<FileTree> tree;
  if (fs::is_directory(found.path, ignored)) {
    tree = OpenFolder(found.path);
  } else {
    CheckMayBeArchive(found.path);
  }
  const auto state = StateOf(found.path);
  std::string key;
  std::optional<Dataset> result;
  if (options.use_cache) {
    key = KeyOf(tree.get(), found.path, options, progress);
    result = ReadCache(key, options.threads);
    if (result && BreaksStrict(*result, options)) result.reset();
  }
  if (!result) {
    VerifyDownload(found, progress);
    if (!tree) tree = OpenArchive(found.path, progress);
    result = ReadTree(tree.get(), options, progress);
    result->fingerprint = Fingerprint(*result, HashPixels(*result, options.threads));
    if (options.use_cache && StateOf(found.path) == state) Keep(key, *result, options.threads, progress);
  }
  result->source = data;
  result->located = found.path.string();
  return std::move(*result);
}

}  // namespace spotter
