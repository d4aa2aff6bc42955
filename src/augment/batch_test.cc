// SPDX-License-Identifier: Apache-2.0
#include "augment/batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "augment/preprocessing.h"
#include "base/error.h"

namespace spotter {
namespace {

Dataset FromPixels(const ImageShape& shape, const std::vector<uint8_t>& pixels) {
  Dataset data;
  data.shape = shape;
  data.labels.resize(pixels.size() / static_cast<size_t>(shape.size()));
  std::shared_ptr<uint8_t[]> copy(new uint8_t[pixels.size()]);
  std::copy(pixels.begin(), pixels.end(), copy.get());
  data.pixels = copy;
  return data;
}

std::vector<float> Batch(const Dataset& data, const std::vector<int64_t>& indices, const Preprocessing& preprocessing) {
  std::vector<float> out(indices.size() * static_cast<size_t>(data.shape.size()));
  WriteBatch(data, indices, preprocessing, out.data());
  return out;
}

/// A seed and epoch by which image 0 is drawn like this, so that the known answers below go through the public door.
uint64_t SeedFor(const Augmentation& augmentation, const Placement& wanted) {
  for (uint64_t seed = 0; seed < 100000; ++seed) {
    const Placement p = DrawPlacement(augmentation, seed, 0, 0);
    if (p.flip == wanted.flip && p.dy == wanted.dy && p.dx == wanted.dx) return seed;
  }
  ADD_FAILURE() << "no seed draws it";
  return 0;
}

/// The image's pixel values after augmentation.
std::vector<int> Augmented(const Dataset& data, Augmentation augmentation, const Placement& place) {
  std::vector<float> out(static_cast<size_t>(data.shape.size()));
  const Preprocessing unit{.shape = data.shape};
  WriteAugmentedBatch(data, std::vector<int64_t>{0}, unit, augmentation, SeedFor(augmentation, place), 0, out.data());
  std::vector<int> pixels;
  for (const float value : out) pixels.push_back(static_cast<int>(std::lround(value * 255)));
  return pixels;
}

TEST(WriteBatch, NormalisesEachChannelByItsOwnNumbers) {
  const Dataset data = FromPixels({1, 2, 3}, {0, 128, 255, 10, 20, 30, 1, 2, 3, 4, 5, 6});
  const Preprocessing preprocessing{.shape = data.shape, .mean = {0.1f, 0.2f, 0.3f}, .std = {0.5f, 2.0f, 0.25f}};
  const auto out = Batch(data, {1, 0}, preprocessing);
  ASSERT_EQ(out.size(), 12u);
  const auto expected = [](int pixel, double mean, double std) { return (pixel / 255.0 - mean) / std; };
  EXPECT_NEAR(out[0], expected(1, 0.1, 0.5), 1e-6);
  EXPECT_NEAR(out[4], expected(5, 0.2, 2.0), 1e-6);
  EXPECT_NEAR(out[6], expected(0, 0.1, 0.5), 1e-6);
  EXPECT_NEAR(out[7], expected(128, 0.2, 2.0), 1e-6);
  EXPECT_NEAR(out[8], expected(255, 0.3, 0.25), 1e-6);
  EXPECT_NEAR(out[11], expected(30, 0.3, 0.25), 1e-6);
}

TEST(WriteBatch, GreyStaysOneChannel) {
  const Dataset data = FromPixels({2, 2, 1}, {0, 51, 102, 255});
  const auto out = Batch(data, {0}, {.shape = data.shape});
  EXPECT_FLOAT_EQ(out[1], 0.2f);
  EXPECT_FLOAT_EQ(out[2], 0.4f);
  EXPECT_FLOAT_EQ(out[3], 1.0f);
}

// 1 2 3
// 4 5 6   written out by hand; reflection as numpy.pad(..., mode="reflect") does it.
// 7 8 9
const Dataset kNine = FromPixels({3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});

TEST(Augment, FlipsLeftToRight) {
  EXPECT_EQ(Augmented(kNine, {.flip = true}, {.flip = true}), (std::vector<int>{3, 2, 1, 6, 5, 4, 9, 8, 7}));
  EXPECT_EQ(Augmented(kNine, {.flip = true}, {.flip = false}), (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Augment, ShiftsAndFillsWithBlack) {
  const Augmentation zero{.shift = 1, .fill = ShiftFill::kZero};
  EXPECT_EQ(Augmented(kNine, zero, {.dy = 1, .dx = 0}), (std::vector<int>{0, 0, 0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Augmented(kNine, zero, {.dy = 0, .dx = 1}), (std::vector<int>{0, 1, 2, 0, 4, 5, 0, 7, 8}));
  EXPECT_EQ(Augmented(kNine, zero, {.dy = -1, .dx = -1}), (std::vector<int>{5, 6, 0, 8, 9, 0, 0, 0, 0}));
}

TEST(Augment, ShiftsAndMirrorsAtTheBorder) {
  const Augmentation reflect{.shift = 1};
  EXPECT_EQ(Augmented(kNine, reflect, {.dy = 1, .dx = 0}), (std::vector<int>{4, 5, 6, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Augmented(kNine, reflect, {.dy = 0, .dx = -1}), (std::vector<int>{2, 3, 2, 5, 6, 5, 8, 9, 8}));
  EXPECT_EQ(Augmented(kNine, reflect, {.dy = -1, .dx = 1}), (std::vector<int>{5, 4, 5, 8, 7, 8, 5, 4, 5}));
}

TEST(Augment, FlipsFirstThenShifts) {
  const Augmentation both{.flip = true, .shift = 1, .fill = ShiftFill::kZero};
  EXPECT_EQ(Augmented(kNine, both, {.flip = true, .dy = 0, .dx = 1}), (std::vector<int>{0, 3, 2, 0, 6, 5, 0, 9, 8}));
  EXPECT_EQ(Augmented(kNine, both, {.flip = true, .dy = 0, .dx = -1}), (std::vector<int>{2, 1, 0, 5, 4, 0, 8, 7, 0}));
  const Augmentation mirrored{.flip = true, .shift = 2};
  EXPECT_EQ(Augmented(kNine, mirrored, {.flip = true, .dy = 0, .dx = 2}),
            (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Augment, KeepsTheColoursOfAPixelTogether) {
  const Dataset data = FromPixels({1, 2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(Augmented(data, {.flip = true}, {.flip = true}), (std::vector<int>{4, 5, 6, 1, 2, 3}));
  const Augmentation zero{.shift = 1, .fill = ShiftFill::kZero};
  EXPECT_EQ(Augmented(data, zero, {.dx = 1}), (std::vector<int>{0, 0, 0, 1, 2, 3}));
  EXPECT_EQ(Augmented(data, zero, {.dx = -1}), (std::vector<int>{4, 5, 6, 0, 0, 0}));
}

TEST(Augment, BlackIsBlackBeforeNormalisation) {
  const Preprocessing preprocessing{.shape = kNine.shape, .mean = {0.5f}, .std = {0.5f}};
  const Augmentation zero{.shift = 1, .fill = ShiftFill::kZero};
  std::vector<float> out(9);
  WriteAugmentedBatch(kNine, std::vector<int64_t>{0}, preprocessing, zero, SeedFor(zero, {.dy = 1}), 0, out.data());
  EXPECT_FLOAT_EQ(out[0], -1.0f);
}

TEST(Augment, WithNothingToDoIsTheImage) {
  const std::vector<int64_t> indices = {0};
  std::vector<float> out(9);
  WriteAugmentedBatch(kNine, indices, {.shape = kNine.shape}, {}, 1, 1, out.data());
  EXPECT_EQ(out, Batch(kNine, indices, {.shape = kNine.shape}));
}

// What an image looks like must not depend on its place in a batch, or a resumed run would be another.
TEST(Augment, DependsOnTheIndexAndNotOnTheBatch) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < 40 * 9; ++i) pixels.push_back(static_cast<uint8_t>(i * 7));
  const Dataset data = FromPixels({3, 3, 1}, pixels);
  const Augmentation augmentation{.flip = true, .shift = 1};
  std::vector<int64_t> all;
  for (int64_t i = 0; i < 40; ++i) all.push_back(i);
  std::vector<float> together(40 * 9), alone(9);
  WriteAugmentedBatch(data, all, {.shape = data.shape}, augmentation, 3, 2, together.data());
  for (const int64_t i : all) {
    WriteAugmentedBatch(data, std::vector{i}, {.shape = data.shape}, augmentation, 3, 2, alone.data());
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + 9 * i)) << i;
  }
}

TEST(DrawPlacement, IsAPureFunctionOfSeedEpochAndIndex) {
  const Augmentation augmentation{.flip = true, .shift = 3};
  const auto key = [](const Placement& p) { return 100 * p.flip + 10 * (p.dy + 3) + p.dx + 3; };
  int same_seed = 0, same_epoch = 0, same_index = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    const int here = key(DrawPlacement(augmentation, 1, 2, i));
    EXPECT_EQ(here, key(DrawPlacement(augmentation, 1, 2, i)));
    same_seed += here == key(DrawPlacement(augmentation, 2, 2, i));
    same_epoch += here == key(DrawPlacement(augmentation, 1, 3, i));
    same_index += here == key(DrawPlacement(augmentation, 1, 2, i + 1));
  }
  // One of 98 placements by chance: 10 of 1000, with a deviation of 3.2.
  for (const int same : {same_seed, same_epoch, same_index}) EXPECT_LT(same, 10 + 5 * 3.2);
}

TEST(DrawPlacement, IsUniformInItsRange) {
  const Augmentation augmentation{.flip = true, .shift = 2};
  constexpr int kDraws = 25000;
  std::map<int, int> dy, dx;
  int flips = 0;
  for (int64_t i = 0; i < kDraws; ++i) {
    const Placement p = DrawPlacement(augmentation, 0, i % 7, i);
    ++dy[p.dy];
    ++dx[p.dx];
    flips += p.flip;
  }
  for (const auto& counts : {dy, dx}) {
    EXPECT_EQ(counts.size(), 5u);
    EXPECT_EQ(counts.begin()->first, -2);
    EXPECT_EQ(counts.rbegin()->first, 2);
    for (const auto& [offset, count] : counts)
      EXPECT_NEAR(count, kDraws / 5, 5 * std::sqrt(kDraws * 0.2 * 0.8)) << offset;
  }
  EXPECT_NEAR(flips, kDraws / 2, 5 * std::sqrt(kDraws * 0.25));
  for (int64_t i = 0; i < 100; ++i) EXPECT_FALSE(DrawPlacement({.shift = 2}, 0, 0, i).flip);
}

TEST(DrawPlacement, AlternatingMirrorsEachImageInEverySecondEpoch) {
  const Augmentation alternating{.flip = true, .shift = 2, .alternating = true}, plain{.flip = true, .shift = 2};
  int first = 0;
  constexpr int kImages = 1000;
  for (int64_t i = 0; i < kImages; ++i) {
    const bool begins = DrawPlacement(alternating, 7, 0, i).flip;
    first += begins;
    for (int64_t epoch = 0; epoch < 6; ++epoch) {
      const Placement p = DrawPlacement(alternating, 7, epoch, i), q = DrawPlacement(plain, 7, epoch, i);
      EXPECT_EQ(p.flip, (epoch % 2 == 0) == begins) << epoch;
      EXPECT_EQ(p.dy, q.dy);
      EXPECT_EQ(p.dx, q.dx);
    }
  }
  EXPECT_NEAR(first, kImages / 2, 5 * std::sqrt(kImages * 0.25));
  int same = 0;
  for (int64_t i = 0; i < kImages; ++i)
    same += DrawPlacement(alternating, 7, 0, i).flip == DrawPlacement(alternating, 8, 0, i).flip;
  EXPECT_NEAR(same, kImages / 2, 5 * std::sqrt(kImages * 0.25)) << "it does not follow the seed";
  EXPECT_FALSE(DrawPlacement({.alternating = true}, 7, 0, 0).flip ||
               DrawPlacement({.alternating = true}, 7, 1, 0).flip);
}

TEST(DrawJitter, IsUniformAndAPureFunctionOfSeedEpochAndIndex) {
  const Augmentation augmentation{.brightness = 0.2, .contrast = 0.1};
  constexpr int kDraws = 20000;
  double sum = 0, squares = 0, factors = 0, products = 0;
  for (int64_t i = 0; i < kDraws; ++i) {
    const Jitter j = DrawJitter(augmentation, 1, 2, i);
    EXPECT_EQ(j.shift, DrawJitter(augmentation, 1, 2, i).shift);
    EXPECT_LE(std::abs(j.shift), 0.2f);
    EXPECT_LE(std::abs(j.factor - 1), 0.1f + 1e-6f);
    sum += j.shift;
    squares += j.shift * j.shift;
    factors += j.factor - 1;
    products += j.shift * (j.factor - 1);
  }
  const double n = kDraws;
  EXPECT_NEAR(sum / n, 0, 5 * 0.2 / std::sqrt(3 * n));
  EXPECT_NEAR(squares / n, 0.2 * 0.2 / 3, 5 * 0.2 * 0.2 * std::sqrt(4.0 / 45 / n));
  EXPECT_NEAR(factors / n, 0, 5 * 0.1 / std::sqrt(3 * n));
  EXPECT_NEAR(products / n, 0, 5 * 0.2 * 0.1 / 3 / std::sqrt(n)) << "the two are drawn alike";
  const float here = DrawJitter(augmentation, 1, 2, 3).shift;
  EXPECT_NE(here, DrawJitter(augmentation, 2, 2, 3).shift);
  EXPECT_NE(here, DrawJitter(augmentation, 1, 3, 3).shift);
  EXPECT_NE(here, DrawJitter(augmentation, 1, 2, 4).shift);
}

TEST(Augment, JitterAddsThenMultipliesWhatTheNetworkSees) {
  const Preprocessing preprocessing{.shape = kNine.shape, .mean = {0.02f}, .std = {0.01f}};
  const Augmentation augmentation{.flip = true, .shift = 1, .brightness = 0.3, .contrast = 0.2};
  const std::vector<int64_t> indices = {0};
  for (int64_t epoch = 0; epoch < 4; ++epoch) {
    std::vector<float> plain(9), jittered(9);
    WriteAugmentedBatch(kNine, indices, preprocessing, {.flip = true, .shift = 1}, 5, epoch, plain.data());
    WriteAugmentedBatch(kNine, indices, preprocessing, augmentation, 5, epoch, jittered.data());
    const Jitter jitter = DrawJitter(augmentation, 5, epoch, 0);
    for (size_t i = 0; i < 9; ++i) EXPECT_FLOAT_EQ(jittered[i], (plain[i] + jitter.shift) * jitter.factor) << i;
  }
}

TEST(DrawCutout, IsUniformInsideAndAPureFunctionOfSeedEpochAndIndex) {
  const Augmentation augmentation{.cutout = 3};
  const ImageShape shape{6, 5, 1};
  constexpr int kDraws = 24000;
  std::map<int, int> places;
  for (int64_t i = 0; i < kDraws; ++i) {
    const Corner corner = DrawCutout(augmentation, shape, 1, 2, i);
    ++places[10 * corner.y + corner.x];
    const Corner again = DrawCutout(augmentation, shape, 1, 2, i);
    EXPECT_TRUE(corner.y == again.y && corner.x == again.x);
  }
  EXPECT_EQ(places.size(), 4u * 3u);
  EXPECT_EQ(places.begin()->first, 0);
  EXPECT_EQ(places.rbegin()->first, 32);
  for (const auto& [place, count] : places) EXPECT_NEAR(count, kDraws / 12, 5 * std::sqrt(kDraws / 12.0)) << place;
  int same_seed = 0, same_epoch = 0;
  for (int64_t i = 0; i < 1200; ++i) {
    const auto key = [&](uint64_t seed, int64_t epoch) {
      const Corner corner = DrawCutout(augmentation, shape, seed, epoch, i);
      return 10 * corner.y + corner.x;
    };
    same_seed += key(1, 2) == key(2, 2);
    same_epoch += key(1, 2) == key(1, 3);
  }
  for (const int same : {same_seed, same_epoch}) EXPECT_LT(same, 100 + 5 * 10);
}

TEST(Augment, CutoutBlanksASquareOfWhatTheNetworkSeesAndNothingElse) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < 4 * 5 * 3; ++i) pixels.push_back(static_cast<uint8_t>(i + 1));
  const Dataset data = FromPixels({4, 5, 3}, pixels);
  const Preprocessing preprocessing{.shape = data.shape, .mean = {0.5f, 0.4f, 0.3f}, .std = {0.2f, 0.2f, 0.2f}};
  Augmentation augmentation{.flip = true, .shift = 1, .brightness = 0.3};
  for (int64_t epoch = 0; epoch < 8; ++epoch) {
    std::vector<float> whole(pixels.size()), cut(pixels.size());
    augmentation.cutout = 0;
    WriteAugmentedBatch(data, std::vector<int64_t>{0}, preprocessing, augmentation, 5, epoch, whole.data());
    augmentation.cutout = 2;
    WriteAugmentedBatch(data, std::vector<int64_t>{0}, preprocessing, augmentation, 5, epoch, cut.data());
    const Corner corner = DrawCutout(augmentation, data.shape, 5, epoch, 0);
    for (int i = 0; i < 4 * 5 * 3; ++i) {
      const int y = i / 15, x = i / 3 % 5;
      const bool inside = y >= corner.y && y < corner.y + 2 && x >= corner.x && x < corner.x + 2;
      EXPECT_EQ(cut[static_cast<size_t>(i)], inside ? 0 : whole[static_cast<size_t>(i)]) << i;
    }
  }
}

TEST(CheckViews, TakesOneTwoOrSixOfImagesThatCanBeMoved) {
  for (const int count : {1, 2, 6}) CheckViews({.count = count, .below = 0.5}, {2, 2, 1});
  CheckViews({.count = 2}, {1, 1, 1});
  EXPECT_THROW(CheckViews({.count = 3}, {8, 8, 1}), Error);
  EXPECT_THROW(CheckViews({.count = 0}, {8, 8, 1}), Error);
  EXPECT_THROW(CheckViews({.count = 6}, {8, 1, 1}), Error);
  EXPECT_THROW(CheckViews({.count = 6, .below = 1.5}, {8, 8, 1}), Error);
  EXPECT_THROW(CheckViews({.count = 6, .below = std::nan("")}, {8, 8, 1}), Error);
}

TEST(MeasureNormalization, IsMeanAndDeviationOfTheNamedImages) {
  // Red: 0, 255, 255, 0 -> mean 1/2, deviation 1/2. Green: 51, 51, 102, 102 -> 0.3 and 0.1. Blue: constant.
  const Dataset data = FromPixels({1, 2, 3}, {0, 51, 7, 255, 51, 7, 9, 9, 9, 9, 9, 9, 255, 102, 7, 0, 102, 7});
  Preprocessing preprocessing;
  MeasureNormalization(data, {0, 2}, preprocessing);
  EXPECT_FLOAT_EQ(preprocessing.mean[0], 0.5f);
  EXPECT_FLOAT_EQ(preprocessing.std[0], 0.5f);
  EXPECT_FLOAT_EQ(preprocessing.mean[1], 0.3f);
  EXPECT_FLOAT_EQ(preprocessing.std[1], 0.1f);
  EXPECT_FLOAT_EQ(preprocessing.mean[2], 7 / 255.0f);
  EXPECT_EQ(preprocessing.std[2], 1.0f);
}

TEST(MeasureNormalization, KeepsSmallDeviationsButNotVanishingOnes) {
  std::vector<uint8_t> pixels(10000, 100);
  for (int i = 0; i < 100; ++i) pixels[static_cast<size_t>(50 * i)] = 101;
  Preprocessing preprocessing;
  MeasureNormalization(FromPixels({100, 100, 1}, pixels), {0}, preprocessing);
  EXPECT_NEAR(preprocessing.std[0], std::sqrt(0.01 * 0.99) / 255,
              1e-9);  // variance p (1 - p) with p = 0.01, in grey levels
  pixels.assign(10000, 100);
  pixels[17] = 101;  // a deviation of 0.01 grey levels: dividing by it would make this pixel 100
  MeasureNormalization(FromPixels({100, 100, 1}, pixels), {0}, preprocessing);
  EXPECT_EQ(preprocessing.std[0], 1.0f);
}

TEST(ResizePolicy, NamesGoThereAndBack) {
  for (const std::string& name : ResizePolicyNames()) EXPECT_EQ(ResizePolicyName(ResizePolicyFromName(name)), name);
  EXPECT_EQ(ResizePolicyFromName("crop"), ResizePolicy::kCrop);
  EXPECT_EQ(ResizePolicyFromName("pad"), ResizePolicy::kPad);
  EXPECT_EQ(ResizePolicyFromName("stretch"), ResizePolicy::kStretch);
  EXPECT_THROW(ResizePolicyFromName("squash"), Error);
}

}  // namespace
}  // namespace spotter
