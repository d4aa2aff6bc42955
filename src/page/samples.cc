// SPDX-License-Identifier: Apache-2.0
#include "page/samples.h"

#include <algorithm>
#include <cmath>

#include "augment/batch.h"
#include "draw/image_sheet.h"

namespace spotter {
namespace {

constexpr size_t kRows = 10;
constexpr int kColumns = 12;
constexpr int kSide = 64;

/// One image as it enters the network in an epoch, back in grey levels. Epoch 0 stands for the image as it is.
std::vector<uint8_t> AsSeen(const Dataset& data, int64_t index, const TrainSettings& settings,
                            const Preprocessing& preprocessing, int64_t epoch) {
  std::vector<float> values(static_cast<size_t>(data.shape.size()));
  const Augmentation augmentation = epoch == 0 ? Augmentation{} : ToAugmentation(settings);
  WriteAugmentedBatch(data, {&index, 1}, preprocessing, augmentation, static_cast<uint64_t>(settings.seed), epoch,
                      values.data());
  std::vector<uint8_t> pixels;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t c = i % static_cast<size_t>(data.shape.channels);
    const float grey = 255 * (values[i] * preprocessing.std[c] + preprocessing.mean[c]);
    pixels.push_back(static_cast<uint8_t>(std::lround(std::clamp(grey, 0.0f, 255.0f))));
  }
  return pixels;
}

std::vector<std::vector<int64_t>> FirstOfEachClass(const Dataset& data, const Splits& splits, size_t images) {
  std::vector<std::vector<int64_t>> chosen(std::min(kRows, data.classes.size()));
  for (const int64_t index : splits.train) {
    const auto label = static_cast<size_t>(data.labels[static_cast<size_t>(index)]);
    if (label < chosen.size() && chosen[label].size() < images) chosen[label].push_back(index);
  }
  return chosen;
}

}  // namespace

Picture Samples(const Dataset& data, const Splits& splits, const TrainSettings& settings,
                const Preprocessing& preprocessing) {
  const int64_t epochs = Augments(ToAugmentation(settings)) ? 4 : 1;  // the image itself, then three epochs
  const auto view = [&](const std::vector<uint8_t>& pixels) {
    return PixelView{data.shape.height, data.shape.width, data.shape.channels, pixels.data()};
  };
  const std::vector<uint8_t> black(static_cast<size_t>(data.shape.size()));
  const Picture tile = Thumbnail(view(black), kSide);
  const auto rows = FirstOfEachClass(data, splits, static_cast<size_t>(kColumns / epochs));
  size_t longest = 1;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  const int columns = static_cast<int>(longest) * static_cast<int>(epochs);
  ImageSheet sheet(tile.height, tile.width, columns);
  for (const auto& row : rows) {
    for (const int64_t index : row) {
      for (int64_t epoch = 0; epoch < epochs; ++epoch)
        sheet.Add(Thumbnail(view(AsSeen(data, index, settings, preprocessing, epoch)), kSide).view());
    }
    while (sheet.tiles() % columns != 0) sheet.Add(tile.view());
  }
  return sheet.picture();
}

std::string SamplesUri(const Dataset& data, const Splits& splits, const TrainSettings& settings,
                       const Preprocessing& preprocessing) {
  return DataUri("image/webp", EncodeWebp(Samples(data, splits, settings, preprocessing).view(), 80));
}

}  // namespace spotter
