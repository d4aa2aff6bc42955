// SPDX-License-Identifier: Apache-2.0
#include "data/layouts.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/text.h"

namespace spotter {
namespace {

constexpr int kLargestOwnSide = 64;  // larger images are made this size unless the user asks for another

[[noreturn]] void FailTooLarge(int64_t count, const ImageShape& shape) {
  Fail(ExitCode::kData, "{} images of {} x {} x {} need {} of memory, more than there is; ask for a smaller image size",
       WithThousands(count), shape.height, shape.width, shape.channels,
       HumanBytes(static_cast<double>(count) * static_cast<double>(shape.size())));
}

/// The bytes of memory that the machine has, or that its container may use.
double MemoryBytes() {
  double bytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  for (const char* limit : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    try {
      bytes = std::min(bytes, ParseNumber(Trim(ReadFile(limit))).value_or(bytes));  // "max": no limit
    } catch (const Error&) {
      // The other version of control groups, or none.
    }
  }
  return bytes;
}

}  // namespace

std::shared_ptr<uint8_t[]> AllocatePixels(int64_t count, const ImageShape& shape) {
  const double bytes = static_cast<double>(count) * static_cast<double>(shape.size());
  if (bytes > 0.9 * MemoryBytes()) FailTooLarge(count, shape);
  try {
    return std::make_shared_for_overwrite<uint8_t[]>(static_cast<size_t>(count * shape.size()));
  } catch (const std::bad_alloc&) {
    FailTooLarge(count, shape);
  }
}

ImageShape ChooseShape(const ImageShape& stored, bool alike, const LoadOptions& options) {
  if (options.shape.height != 0) return options.shape;
  const int side = options.image_size;
  if (side > 0) return {side, side, stored.channels};
  if (alike && stored.height <= kLargestOwnSide && stored.width <= kLargestOwnSide) return stored;
  return {kLargestOwnSide, kLargestOwnSide, stored.channels};
}

void SetPixels(std::shared_ptr<uint8_t[]> pixels, const ImageShape& stored, const LoadOptions& options,
               const Progress& progress, Dataset* data) {
  data->shape = ChooseShape(stored, true, options);
  data->resized = data->shape.height != stored.height || data->shape.width != stored.width;
  if (data->shape != stored) {
    const std::shared_ptr<uint8_t[]> fitted = AllocatePixels(data->size(), data->shape);
    std::atomic<int64_t> done{0};
    ParallelFor(data->size(), options.threads, [&](int64_t i) {
      const uint8_t* first = pixels.get() + i * stored.size();
      const Image image = FitImage({stored, {first, first + stored.size()}}, data->shape, options.resize);
      std::copy(image.pixels.begin(), image.pixels.end(), fitted.get() + i * data->shape.size());
      const int64_t now = ++done;
      if (progress) progress("resizing images", now, data->size());
    });
    pixels = fitted;
  }
  data->pixels = std::move(pixels);
}

std::vector<std::string> ReadNamed(FileTree* tree, const std::vector<std::string>& names, int64_t most_bytes,
                                   int threads, const Progress& progress) {
  const std::vector<TreeFile>& files = tree->files();
  std::vector<bool> wanted(files.size(), false);
  std::vector<size_t> slot(files.size(), 0);  // in `names`
  std::vector<std::string> missing;
  for (size_t k = 0; k < names.size(); ++k) {
    const auto at = std::lower_bound(files.begin(), files.end(), names[k],
                                     [](const TreeFile& file, const std::string& name) { return file.name < name; });
    if (at == files.end() || at->name != names[k]) {
      missing.push_back(fmt::format("'{}'", Printable(names[k])));
      continue;
    }
    wanted[at - files.begin()] = true;
    slot[at - files.begin()] = k;
  }
  if (!missing.empty()) {
    Fail(ExitCode::kData, "'{}' is incomplete: {} {} missing; expected the whole data set; get it again",
         Printable(tree->where()), Join(missing, ", "), missing.size() == 1 ? "is" : "are");
  }
  std::vector<std::string> contents(names.size());
  std::atomic<int64_t> done{0};
  if (progress) progress("reading files", 0, static_cast<int64_t>(names.size()));
  tree->ReadEach(wanted, most_bytes, threads, [&](size_t i, std::string content, const std::string& problem) {
    if (!problem.empty()) {
      Fail(ExitCode::kData, "'{}' in '{}' can't be read: {}", Printable(files[i].name), Printable(tree->where()),
           problem);
    }
    contents[slot[i]] = std::move(content);  // one slot a file: threads don't meet
    const int64_t now = ++done;
    if (progress) progress("reading files", now, static_cast<int64_t>(names.size()));
  });
  return contents;
}

void FailFile(const FileTree& tree, const std::string& name, std::string_view reason) {
  Fail(ExitCode::kData, "'{}' in '{}': {}; get the data set again", Printable(name), Printable(tree.where()), reason);
}

}  // namespace spotter
