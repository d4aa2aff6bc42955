// SPDX-License-Identifier: Apache-2.0
#include "page/samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "augment/batch.h"

namespace spotter {
namespace {

constexpr int kSide = 8;  // of an image, and so of a tile

/// Two classes of an image each, all 100 and all 200: their mean is 150, their deviation 50.
class SamplesTest : public testing::Test {
 protected:
  SamplesTest() {
    data.shape = {8, 8, 1};
    data.classes = {"dark", "light"};
    data.labels = {0, 1};
    const std::shared_ptr<uint8_t[]> pixels(new uint8_t[128]);
    std::fill_n(pixels.get(), 64, uint8_t{100});
    std::fill_n(pixels.get() + 64, 64, uint8_t{200});
    data.pixels = pixels;
    splits.train = {0, 1};
    preprocessing.shape = data.shape;
    MeasureNormalization(data, splits.train, preprocessing);
  }
  /// The values of a tile's pixels.
  std::vector<int> Tile(int row, int column) const {
    const Picture sheet = Samples(data, splits, settings, preprocessing);
    std::vector<int> values;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x)
        values.push_back(sheet.rgb[static_cast<size_t>(((row * kSide + y) * sheet.width + column * kSide + x) * 3)]);
    }
    return values;
  }
  Dataset data;
  Splits splits;
  TrainSettings settings;
  Preprocessing preprocessing;
};

TEST_F(SamplesTest, WithoutAugmentationAreTheImages) {
  EXPECT_EQ(Samples(data, splits, settings, preprocessing).width, kSide);
  EXPECT_EQ(Tile(0, 0), std::vector<int>(kSide * kSide, 100));
  EXPECT_EQ(Tile(1, 0), std::vector<int>(kSide * kSide, 200));
}

TEST_F(SamplesTest, AnyAugmentationShowsThreeEpochsBesideTheImage) {
  const TrainSettings plain = settings;
  for (const auto set : {+[](TrainSettings& s) { s.flip = true; }, +[](TrainSettings& s) { s.shift = 1; },
                         +[](TrainSettings& s) { s.cutout = 4; }, +[](TrainSettings& s) { s.brightness = 0.1; },
                         +[](TrainSettings& s) { s.contrast = 0.1; }}) {
    settings = plain;
    set(settings);
    EXPECT_EQ(Samples(data, splits, settings, preprocessing).width, 4 * kSide);
    EXPECT_EQ(Tile(1, 0), std::vector<int>(kSide * kSide, 200));
  }
}

TEST_F(SamplesTest, WhatIsCutOutHasTheMeanColour) {
  settings.cutout = 4;
  for (const int column : {1, 2, 3}) {
    const std::vector<int> tile = Tile(0, column);
    EXPECT_EQ(std::count(tile.begin(), tile.end(), 150), kSide * kSide / 4);
    EXPECT_EQ(std::count(tile.begin(), tile.end(), 100), kSide * kSide * 3 / 4);
  }
}

TEST_F(SamplesTest, BrightnessIsOfNormalisedValuesAndEndsAtBlackAndWhite) {
  settings.brightness = 4;
  for (const int64_t epoch : {1, 2, 3}) {
    const Jitter jitter = DrawJitter(ToAugmentation(settings), static_cast<uint64_t>(settings.seed), epoch, 1);
    const double expected = std::clamp(150 + 50 * (1.0 + jitter.shift), 0.0, 255.0);
    for (const int value : Tile(1, static_cast<int>(epoch))) ASSERT_NEAR(value, expected, 1) << epoch;
  }
}

}  // namespace
}  // namespace spotter
