// SPDX-License-Identifier: Apache-2.0
// Reads an image folder: decodes every sample of the plan into one block of pixels, on all cores.
#include <algorithm>
#include <atomic>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "data/image_folder.h"
#include "data/layouts.h"

namespace spotter {
namespace {

/// Sets the shape that all images get, from their headers, and whether that resizes any.
void SetShape(const FolderPlan& plan, const std::vector<ImagePeek>& peeks, const LoadOptions& options, Dataset* data) {
  const auto same_sides = [](const ImageShape& a, const ImageShape& b) {
    return a.height == b.height && a.width == b.width;
  };
  const auto all_like = [&](const ImageShape& shape) {
    return std::all_of(plan.samples.begin(), plan.samples.end(),
                       [&](const FolderSample& sample) { return same_sides(peeks[sample.file].shape, shape); });
  };
  ImageShape stored = peeks[plan.samples.front().file].shape;
  for (const FolderSample& sample : plan.samples) {  // one colour image makes all colour
    stored.channels = std::max(stored.channels, peeks[sample.file].shape.channels);
  }
  data->shape = ChooseShape(stored, all_like(stored), options);
  data->resized = !all_like(data->shape);
}

void FailIfStrict(const std::vector<SkippedFile>& skipped, const std::string& where) {
  if (skipped.empty()) return;
  const SkippedFile& first = skipped.front();
  Fail(ExitCode::kData,
       "{} of the images in '{}' can't be used, first '{}': {}; repair or remove them, or run without "
       "--strict",
       WithThousands(static_cast<int64_t>(skipped.size())), Printable(where), Printable(first.name), first.reason);
}

/// Drops the samples that have a reason, closing the gaps in the pixels.
void DropUnreadable(std::vector<FolderSample>* samples, std::vector<std::string>* reasons, uint8_t* pixels,
                    int64_t image_bytes, std::vector<SkippedFile>* skipped) {
  size_t kept = 0;
  for (size_t i = 0; i < samples->size(); ++i) {
    if (!(*reasons)[i].empty()) {
      skipped->push_back({std::move((*samples)[i].name), std::move((*reasons)[i])});
      continue;
    }
    if (kept != i) {
      (*samples)[kept] = std::move((*samples)[i]);
      std::copy_n(pixels + static_cast<int64_t>(i) * image_bytes, image_bytes,
                  pixels + static_cast<int64_t>(kept) * image_bytes);
    }
    ++kept;
  }
  samples->resize(kept);
  std::sort(skipped->begin(), skipped->end(),
            [](const SkippedFile& a, const SkippedFile& b) { return a.name < b.name; });
}

/// Decodes into `pixels`; returns, for each sample, why it could not be decoded, or "".
std::vector<std::string> DecodeAll(FileTree* tree, const FolderPlan& plan, const ImageShape& shape,
                                   const LoadOptions& options, const Progress& progress, uint8_t* pixels) {
  std::vector<bool> wanted(tree->files().size(), false);
  std::vector<size_t> slot(tree->files().size(), 0);
  for (size_t i = 0; i < plan.samples.size(); ++i) {
    wanted[plan.samples[i].file] = true;
    slot[plan.samples[i].file] = i;
  }
  std::vector<std::string> reasons(plan.samples.size());
  std::atomic<int64_t> done{0};
  const auto decode = [&](size_t file, const std::string& content, const std::string& problem) {
    const size_t i = slot[file];
    try {
      if (!problem.empty()) Fail(ExitCode::kData, "{}", problem);
      const Image image = FitImage(DecodeImage(content), shape, options.resize);
      std::copy(image.pixels.begin(), image.pixels.end(), pixels + static_cast<int64_t>(i) * shape.size());
    } catch (const Error& error) {
      reasons[i] = error.what();
    }
    const int64_t now = ++done;
    if (progress) progress("decoding images", now, static_cast<int64_t>(plan.samples.size()));
  };
  tree->ReadEach(wanted, kMaxFileBytes, options.threads, decode);
  return reasons;
}

/// Each class must have kept an image to learn from; in data that is not for training, any image.
void CheckClasses(const Dataset& data, bool for_training, const std::string& where) {
  std::vector<int64_t> counts(data.classes.size(), 0);
  for (int64_t i = 0; i < data.size(); ++i) {
    const bool counts_here = !for_training || data.parts[i] == Part::kNone || data.parts[i] == Part::kTrain;
    if (counts_here) ++counts[data.labels[i]];
  }
  const auto empty = std::find(counts.begin(), counts.end(), 0);
  if (empty == counts.end()) return;
  Fail(ExitCode::kData, "class '{}' in '{}' has no {}image that can be read ({} files were skipped, such as '{}': {})",
       Printable(data.classes[empty - counts.begin()]), Printable(where), for_training ? "training " : "",
       data.skipped.size(), data.skipped.empty() ? "" : Printable(data.skipped.front().name),
       data.skipped.empty() ? "" : data.skipped.front().reason);
}

}  // namespace

Dataset ReadImageFolder(FileTree* tree, const LoadOptions& options, const Progress& progress) {
  const std::vector<ImagePeek> peeks = tree->Peek(options.threads, progress);
  FolderPlan plan = PlanImageFolder(*tree, peeks);
  if (options.strict) FailIfStrict(plan.skipped, tree->where());

  Dataset data;
  SetShape(plan, peeks, options, &data);
  const std::shared_ptr<uint8_t[]> pixels = AllocatePixels(static_cast<int64_t>(plan.samples.size()), data.shape);
  std::vector<std::string> reasons = DecodeAll(tree, plan, data.shape, options, progress, pixels.get());
  DropUnreadable(&plan.samples, &reasons, pixels.get(), data.shape.size(), &plan.skipped);
  if (options.strict) FailIfStrict(plan.skipped, tree->where());

  data.classes = std::move(plan.classes);
  data.skipped = std::move(plan.skipped);
  data.pixels = pixels;
  for (FolderSample& sample : plan.samples) {
    data.labels.push_back(sample.label);
    data.parts.push_back(sample.part);
    data.names.push_back(std::move(sample.name));
  }
  CheckClasses(data, plan.for_training, tree->where());
  return data;
}

}  // namespace spotter
