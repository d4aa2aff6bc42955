// SPDX-License-Identifier: Apache-2.0
// Resizing agrees with Pillow's Image.resize(BILINEAR), and each policy places the picture where it says.
#include <algorithm>

#include "data/image.h"
#include "data/test_files.h"

namespace spotter {
namespace {

Image Source() { return DecodeImage(DataFixture("resize_source.png")); }

TEST(FitImage, AgreesWithPillow) {
  const auto difference = [](const char* answer, const ImageShape& target, ResizePolicy policy) {
    return LargestDifference(FitImage(Source(), target, policy), ReadPnm(answer));
  };
  EXPECT_LE(difference("resize_stretch_32x32.ppm", {32, 32, 3}, ResizePolicy::kStretch), 1);
  EXPECT_LE(difference("resize_stretch_7x90.ppm", {7, 90, 3}, ResizePolicy::kStretch), 1);
  EXPECT_LE(difference("resize_stretch_100x120.ppm", {100, 120, 3}, ResizePolicy::kStretch), 1);
  EXPECT_LE(difference("resize_crop_32x32.ppm", {32, 32, 3}, ResizePolicy::kCrop), 1);
  EXPECT_LE(difference("resize_pad_32x32.ppm", {32, 32, 3}, ResizePolicy::kPad), 1);
  EXPECT_LE(difference("resize_grey_24x24.pgm", {24, 24, 1}, ResizePolicy::kStretch), 1);
}

TEST(FitImage, LeavesAnImageOfTheRightShapeAlone) {
  for (const ResizePolicy policy : {ResizePolicy::kStretch, ResizePolicy::kCrop, ResizePolicy::kPad}) {
    EXPECT_EQ(FitImage(Source(), Source().shape, policy).pixels, Source().pixels);
  }
}

TEST(FitImage, MakesGreyToColourByRepeating) {
  const Image grey{{1, 2, 1}, {7, 200}};
  EXPECT_EQ(FitImage(grey, {1, 2, 3}, ResizePolicy::kStretch).pixels, (std::vector<uint8_t>{7, 7, 7, 200, 200, 200}));
}

TEST(FitImage, CropKeepsTheMiddleAndPadKeepsAll) {
  // White in the middle third of a wide picture, black beside it.
  Image wide{{10, 30, 1}, std::vector<uint8_t>(300, 0)};
  for (int y = 0; y < 10; ++y) std::fill_n(wide.pixels.begin() + y * 30 + 10, 10, 255);
  const Image cropped = FitImage(wide, {10, 10, 1}, ResizePolicy::kCrop);
  EXPECT_EQ(cropped.pixels, std::vector<uint8_t>(100, 255));
  const Image padded = FitImage(wide, {30, 30, 1}, ResizePolicy::kPad);
  EXPECT_EQ(padded.pixels[5 * 30 + 15], 0);     // above the picture
  EXPECT_EQ(padded.pixels[15 * 30 + 15], 255);  // its middle
  EXPECT_EQ(padded.pixels[15 * 30 + 5], 0);
}

TEST(FitImage, TakesTheMostExtremeProportionsWithoutMuchMemory) {
  const Image line{{1, kMaxImageSide, 3}, std::vector<uint8_t>(size_t{kMaxImageSide} * 3, 9)};
  for (const ResizePolicy policy : {ResizePolicy::kStretch, ResizePolicy::kCrop, ResizePolicy::kPad}) {
    for (const ImageShape& target : {ImageShape{64, 64, 3}, ImageShape{1, 1, 3}, ImageShape{3, 500, 1}}) {
      const Image image = FitImage(line, target, policy);
      EXPECT_EQ(image.shape, target);
      EXPECT_EQ(static_cast<int64_t>(image.pixels.size()), target.size());
      EXPECT_LE(*std::max_element(image.pixels.begin(), image.pixels.end()), 9);
    }
  }
}

}  // namespace
}  // namespace spotter
