// SPDX-License-Identifier: Apache-2.0
// Puts it together: find, fingerprint, try the cache, recognise, read, keep in the cache.
#include "data/load.h"

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
#include "data/find.h"
#include "data/layouts.h"
#include "data/tree.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

/// The same progress, at most ten times a second and from the calling thread only. A change of `what` is
/// always told.
LoadProgress Throttled(const LoadProgress& progress) {
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

/// The key of what is read: the content, and everything that changes the pixels.
std::string Fingerprint(FastHash* content, const LoadOptions& options) {
  content->AddNumber(kCacheVersion);
  content->AddNumber(options.shape.height != 0 ? 0 : options.image_size);
  for (const int n : {options.shape.height, options.shape.width, options.shape.channels})
    content->AddNumber(n);
  content->AddNumber(static_cast<int64_t>(options.resize));
  return content->Hex();
}

/// Official files by their content; an image folder by its files' names, sizes and times, as reading all
/// would take long.
void HashFolder(const FileTree& tree, const fs::path& folder, FastHash* hash) {
  const Recognised recognised = Recognise(tree);
  hash->Add(LayoutName(recognised.layout));
  for (const size_t i : OfficialFiles(tree, recognised)) {
    hash->Add(tree.files()[i].name);
    hash->AddFile(folder / tree.files()[i].name);
  }
  if (recognised.layout != Layout::kImageFolder) return;
  for (const TreeFile& file : tree.files()) {
    hash->AddNumber(static_cast<int64_t>(file.name.size()));
    hash->Add(file.name);
    hash->AddNumber(file.size);
    hash->AddNumber(file.modified);
  }
}

Dataset ReadTree(FileTree* tree, const LoadOptions& options, const LoadProgress& progress) {
  const Recognised recognised = Recognise(*tree);
  const auto read = [&]() -> Dataset {
    switch (recognised.layout) {
      case Layout::kCifarBinary:
        return ReadCifarBinary(tree, recognised.folder, options);
      case Layout::kCifarPython:
        return ReadCifarPython(tree, recognised.folder, options);
      case Layout::kIdx:
        return ReadIdx(tree, recognised.folder, options);
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
bool BreaksStrict(const Dataset& data, const LoadOptions& options) {
  return options.strict && !data.skipped.empty();
}

void CheckOptions(const LoadOptions& options) {
  if (options.image_size < 0 || options.image_size > kMaxImageSide) {
    Fail(ExitCode::kUsage, "the image size is {}; expected 0 (chosen for you) to {}", options.image_size,
         kMaxImageSide);
  }
  const auto [height, width, channels] = options.shape;
  const bool usable = height > 0 && height <= kMaxImageSide && width > 0 && width <= kMaxImageSide &&
                      (channels == 1 || channels == 3);
  if (height != 0 && !usable) {
    Fail(ExitCode::kUsage, "images can't be made {} x {} x {}; expected sides of 1 to {} and 1 or 3 channels",
         height, width, channels, kMaxImageSide);
  }
}

/// Says what a single file is, where it is something that users give in place of a data set.
void CheckMayBeArchive(const fs::path& path) {
  if (!fs::is_regular_file(path)) {
    Fail(ExitCode::kData,
         "'{}' is neither a folder nor a regular file; expected an image folder or an archive of one",
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

}  // namespace

Dataset LoadDataset(const std::string& data, const LoadOptions& options, const LoadProgress& given_progress) {
  CheckOptions(options);
  const LoadProgress progress = Throttled(given_progress);
  const fs::path path = FindData(data, progress);
  std::unique_ptr<FileTree> tree;
  FastHash hash;
  if (fs::is_directory(path)) {
    tree = OpenFolder(path);
    HashFolder(*tree, path, &hash);
  } else {
    CheckMayBeArchive(path);
    hash.AddFile(path);
  }
  const std::string fingerprint = Fingerprint(&hash, options);
  const fs::path cache = CachePath(fingerprint);
  if (options.use_cache) {
    std::optional<Dataset> cached = ReadCache(cache, fingerprint, options.threads);
    if (cached && !BreaksStrict(*cached, options)) {
      cached->source = data;
      return std::move(*cached);
    }
  }
  if (!tree) tree = OpenArchive(path, progress);
  Dataset result = ReadTree(tree.get(), options, progress);
  result.source = data;
  result.fingerprint = fingerprint;
  if (!options.use_cache) return result;
  try {
    if (progress) progress("keeping the decoded images", 0, 0);
    WriteCache(cache, result, options.threads);
  } catch (const Error& error) {
    if (progress) progress(fmt::format("warning: the decoded images are not kept: {}", error.what()), 0, 0);
  }
  return result;
}

}  // namespace spotter
