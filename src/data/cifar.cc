// SPDX-License-Identifier: Apache-2.0
// CIFAR-10 as its authors publish it: records of a label and 3 x 32 x 32 bytes (binary), or pickled numpy
// arrays (Python).
//
// Both hold each image as three planes; here the channels of a pixel lie together.
#include <array>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/layouts.h"
#include "data/pickle.h"

namespace spotter {
namespace {

constexpr ImageShape kShape{32, 32, 3};
constexpr int64_t kPlane = 32 * 32;
constexpr int64_t kImageBytes = 3 * kPlane;
constexpr std::array<std::string_view, 6> kBatches = {"data_batch_1", "data_batch_2", "data_batch_3",
                                                      "data_batch_4", "data_batch_5", "test_batch"};

/// One batch: images `stride` bytes apart, the first beginning at `images`.
struct Batch {
  std::string name;
  const uint8_t* images = nullptr;
  int64_t stride = 0;
  std::vector<int64_t> labels;
  std::shared_ptr<const Pickle> keep;  // may own the images: Python 3 writes bytes in disguise
};

std::vector<std::string> FileNames(const std::string& folder, std::string_view suffix, std::string_view meta) {
  std::vector<std::string> names;
  for (const std::string_view batch : kBatches) names.push_back(fmt::format("{}{}{}", folder, batch, suffix));
  names.push_back(folder + std::string(meta));
  return names;
}

void Interleave(const uint8_t* planes, uint8_t* pixels) {
  for (int64_t i = 0; i < kPlane; ++i) {
    for (int64_t c = 0; c < 3; ++c) *pixels++ = planes[c * kPlane + i];
  }
}

Dataset Assemble(const FileTree& tree, std::vector<std::string> classes, const std::vector<Batch>& batches,
                 const LoadOptions& options, const Progress& progress) {
  Dataset data;
  data.classes = std::move(classes);
  if (data.classes.size() < 2) FailFile(tree, "batches.meta", "it names fewer than two classes");
  for (const Batch& batch : batches) {
    const bool test = &batch == &batches.back();
    if (batch.labels.empty()) FailFile(tree, batch.name, "it holds no images");
    const auto part_first = static_cast<int64_t>(test ? data.labels.size() : 0);
    for (const int64_t label : batch.labels) {
      if (label < 0 || label >= static_cast<int64_t>(data.classes.size())) {
        FailFile(tree, batch.name,
                 fmt::format("it holds the label {}; expected 0 to {}", label, data.classes.size() - 1));
      }
      data.names.push_back(fmt::format("{}/{}", test ? "test" : "train", data.size() - part_first));
      data.labels.push_back(static_cast<int32_t>(label));
      data.parts.push_back(test ? Part::kTest : Part::kTrain);
    }
  }
  const std::shared_ptr<uint8_t[]> pixels = AllocatePixels(data.size(), kShape);
  int64_t first = 0;
  for (const Batch& batch : batches) {
    const auto n = static_cast<int64_t>(batch.labels.size());
    ParallelFor(n, options.threads, [&](int64_t i) {
      Interleave(batch.images + i * batch.stride, pixels.get() + (first + i) * kImageBytes);
    });
    first += n;
  }
  SetPixels(pixels, kShape, options, progress, &data);
  return data;
}

Batch ParsePythonBatch(const FileTree& tree, const std::string& name, std::string_view content) {
  Batch batch{name, nullptr, kImageBytes, {}, nullptr};
  try {
    const auto owner = std::make_shared<const Pickle>(content);
    const Pickle& pickle = *owner;
    const PickleValue* pixels = pickle.Find(pickle.root(), "data");
    const PickleValue* labels = pickle.Find(pickle.root(), "labels");
    if (pixels == nullptr || labels == nullptr || pixels->kind != PickleValue::Kind::kArray ||
        labels->kind != PickleValue::Kind::kList) {
      Fail(ExitCode::kData, "it holds no 'data' array and 'labels' list");
    }
    for (const uint32_t item : labels->items) {
      const PickleValue& label = pickle.value(item);
      batch.labels.push_back(label.kind == PickleValue::Kind::kInteger ? label.integer : -1);
    }
    const bool is_table = pixels->items.size() == 2 && pickle.value(pixels->items[1]).integer == kImageBytes;
    if (!is_table || pickle.value(pixels->items[0]).integer != static_cast<int64_t>(batch.labels.size())) {
      Fail(ExitCode::kData, "its 'data' is not one row of {} bytes for each of its {} labels", kImageBytes,
           batch.labels.size());
    }
    batch.images = reinterpret_cast<const uint8_t*>(pixels->text.data());
    batch.keep = owner;
  } catch (const Error& error) {
    FailFile(tree, name, error.what());
  }
  return batch;
}

std::vector<std::string> ParsePythonMeta(const FileTree& tree, const std::string& name, std::string_view content) {
  std::vector<std::string> classes;
  try {
    const Pickle pickle(content);
    const PickleValue* names = pickle.Find(pickle.root(), "label_names");
    if (names == nullptr || names->kind != PickleValue::Kind::kList)
      Fail(ExitCode::kData, "it holds no list 'label_names'");
    for (const uint32_t item : names->items) classes.emplace_back(pickle.value(item).text);
  } catch (const Error& error) {
    FailFile(tree, name, error.what());
  }
  return classes;
}

}  // namespace

Dataset ReadCifarBinary(FileTree* tree, const std::string& folder, const LoadOptions& options,
                        const Progress& progress) {
  const std::vector<std::string> names = FileNames(folder, ".bin", "batches.meta.txt");
  const std::vector<std::string> contents = ReadNamed(tree, names, kMaxFileBytes, options.threads, progress);
  std::vector<std::string> classes;
  for (const std::string_view line : Split(contents.back(), '\n')) {
    if (!Trim(line).empty()) classes.emplace_back(Trim(line));
  }
  std::vector<Batch> batches;
  for (size_t b = 0; b < kBatches.size(); ++b) {
    constexpr int64_t kRecord = 1 + kImageBytes;
    const std::string& content = contents[b];
    const auto bytes = static_cast<int64_t>(content.size());
    if (bytes % kRecord != 0) {
      FailFile(*tree, names[b],
               fmt::format("it is {} bytes long; expected records of {} bytes", WithThousands(bytes), kRecord));
    }
    Batch batch{names[b], reinterpret_cast<const uint8_t*>(content.data()) + 1, kRecord, {}, nullptr};
    for (int64_t at = 0; at < bytes; at += kRecord) batch.labels.push_back(static_cast<uint8_t>(content[at]));
    batches.push_back(std::move(batch));
  }
  return Assemble(*tree, std::move(classes), batches, options, progress);
}

Dataset ReadCifarPython(FileTree* tree, const std::string& folder, const LoadOptions& options,
                        const Progress& progress) {
  const std::vector<std::string> names = FileNames(folder, "", "batches.meta");
  const std::vector<std::string> contents = ReadNamed(tree, names, kMaxFileBytes, options.threads, progress);
  std::vector<Batch> batches;
  for (size_t b = 0; b < kBatches.size(); ++b) batches.push_back(ParsePythonBatch(*tree, names[b], contents[b]));
  return Assemble(*tree, ParsePythonMeta(*tree, names.back(), contents.back()), batches, options, progress);
}

}  // namespace spotter
