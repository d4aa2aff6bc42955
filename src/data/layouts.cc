// SPDX-License-Identifier: Apache-2.0
// What the readers of all layouts share: room for pixels, the shape that images get, reading named files.
#include "data/layouts.h"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"

namespace spotter {
namespace {

constexpr int kLargestOwnSide = 64;  // larger images are made this size unless the user asks for another

[[noreturn]] void FailTooLarge(int64_t count, const ImageShape& shape) {
  Fail(ExitCode::kData,
       "{} images of {} x {} x {} need {} of memory, more than there is; ask for a smaller image size",
       WithThousands(count), shape.height, shape.width, shape.channels,
       HumanBytes(static_cast<double>(count) * static_cast<double>(shape.size())));
}

}  // namespace

std::shared_ptr<uint8_t[]> AllocatePixels(int64_t count, const ImageShape& shape) {
  const double bytes = static_cast<double>(count) * static_cast<double>(shape.size());
  const double memory =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (bytes > 0.9 * memory) FailTooLarge(count, shape);
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
               Dataset* data) {
  data->shape = ChooseShape(stored, true, options);
  if (data->shape != stored) {
    const std::shared_ptr<uint8_t[]> resized = AllocatePixels(data->size(), data->shape);
    ParallelFor(data->size(), options.threads, [&](int64_t i) {
      const uint8_t* first = pixels.get() + i * stored.size();
      const Image image = FitImage({stored, {first, first + stored.size()}}, data->shape, options.resize);
      std::copy(image.pixels.begin(), image.pixels.end(), resized.get() + i * data->shape.size());
    });
    pixels = resized;
  }
  data->pixels = std::move(pixels);
}

std::vector<std::string> ReadNamed(FileTree* tree, const std::vector<std::string>& names, int threads) {
  const std::vector<TreeFile>& files = tree->files();
  std::vector<bool> wanted(files.size(), false);
  std::vector<size_t> slot(files.size(), 0);  // in `names`
  std::vector<std::string> missing;
  for (size_t k = 0; k < names.size(); ++k) {
    const auto at =
        std::lower_bound(files.begin(), files.end(), names[k],
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
  tree->ReadEach(wanted, threads, [&](size_t i, std::string content, const std::string& problem) {
    if (!problem.empty()) {
      Fail(ExitCode::kData, "'{}' in '{}' can't be read: {}", Printable(files[i].name),
           Printable(tree->where()), problem);
    }
    contents[slot[i]] = std::move(content);  // one slot a file: threads don't meet
  });
  return contents;
}

}  // namespace spotter
