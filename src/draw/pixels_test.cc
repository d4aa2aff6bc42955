// SPDX-License-Identifier: Apache-2.0
#include "draw/pixels.h"

#include <png.h>
#include <webp/decode.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/json.h"
#include "draw/image_sheet.h"
#include "support/test_support.h"

namespace spotter {
namespace {

/// What matplotlib and OpenCV give; tests/fixtures/make_draw_fixture.py wrote it.
const Json& Recorded() {
  static const Json recorded = Json::parse(ReadText(Fixture("draw.json")));
  return recorded;
}

struct Decoded {
  int height = 0;
  int width = 0;
  bool grey = false;
  std::vector<uint8_t> rgba;
};

Decoded DecodeByLibpng(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0) << image.message;
  Decoded decoded{
      static_cast<int>(image.height), static_cast<int>(image.width), (image.format & PNG_FORMAT_FLAG_COLOR) == 0, {}};
  image.format = PNG_FORMAT_RGBA;
  decoded.rgba.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, decoded.rgba.data(), 0, nullptr), 0) << image.message;
  return decoded;
}

/// A gentle slope of colours, which lossy compression keeps.
Picture Slope(int height, int width) {
  Picture picture{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      picture.rgb.insert(picture.rgb.end(), {static_cast<uint8_t>(4 * x), static_cast<uint8_t>(4 * y), 90});
    }
  }
  return picture;
}

TEST(Png, ComesBackAsItWas) {
  const Picture picture = Slope(5, 7);
  const Decoded decoded = DecodeByLibpng(EncodePng(picture.view()));
  ASSERT_EQ(decoded.height, 5);
  ASSERT_EQ(decoded.width, 7);
  EXPECT_FALSE(decoded.grey);
  for (size_t i = 0; i < 35; ++i) {
    for (size_t c = 0; c < 3; ++c) ASSERT_EQ(decoded.rgba[i * 4 + c], picture.rgb[i * 3 + c]) << i;
    ASSERT_EQ(decoded.rgba[i * 4 + 3], 255);
  }
}

TEST(Png, GreyStaysGrey) {
  const std::vector<uint8_t> pixels = {0, 50, 100, 150, 200, 255};
  const Decoded decoded = DecodeByLibpng(EncodePng({2, 3, 1, pixels.data()}));
  EXPECT_TRUE(decoded.grey);
  ASSERT_EQ(decoded.rgba.size(), 24u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(decoded.rgba[i * 4 + 1], pixels[i]);
}

TEST(Png, KeepsTransparency) {
  const std::vector<uint8_t> pixels = {10, 20, 30, 0, 40, 50, 60, 128};
  EXPECT_EQ(DecodeByLibpng(EncodePng({1, 2, 4, pixels.data()})).rgba, pixels);
}

TEST(Png, EnlargesEveryPixelToASquare) {
  const std::vector<uint8_t> pixels = {1, 2, 3, 4};
  const Decoded decoded = DecodeByLibpng(EncodePng({2, 2, 1, pixels.data()}, 3));
  ASSERT_EQ(decoded.height, 6);
  ASSERT_EQ(decoded.width, 6);
  const auto at = [&](int y, int x) { return decoded.rgba[static_cast<size_t>(y * 6 + x) * 4]; };
  EXPECT_EQ(at(2, 2), 1);
  EXPECT_EQ(at(2, 3), 2);
  EXPECT_EQ(at(3, 2), 3);
  EXPECT_EQ(at(5, 5), 4);
}

TEST(Png, OfNothingIsAnError) { EXPECT_THROW(EncodePng({0, 0, 3, nullptr}), Error); }

TEST(Webp, IsCloseToWhatItWas) {
  const Picture picture = Slope(48, 64);
  const std::string bytes = EncodeWebp(picture.view(), 90);
  int width = 0, height = 0;
  uint8_t* rgb = WebPDecodeRGB(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &width, &height);
  ASSERT_NE(rgb, nullptr);
  EXPECT_EQ(width, 64);
  EXPECT_EQ(height, 48);
  double error = 0;
  for (size_t i = 0; i < picture.rgb.size(); ++i) error += std::abs(rgb[i] - picture.rgb[i]);
  WebPFree(rgb);
  EXPECT_LT(error / static_cast<double>(picture.rgb.size()), 4);
}

TEST(Webp, TakesGrey) {
  const std::vector<uint8_t> pixels(16 * 16, 120);
  const std::string bytes = EncodeWebp({16, 16, 1, pixels.data()}, 80);
  int width = 0, height = 0;
  uint8_t* rgb = WebPDecodeRGB(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &width, &height);
  ASSERT_NE(rgb, nullptr);
  for (size_t i = 0; i < 16 * 16 * 3; ++i) ASSERT_NEAR(rgb[i], 120, 2);
  WebPFree(rgb);
}

TEST(Webp, IsSmallerWithLessQuality) {
  const Picture picture = Slope(64, 64);
  EXPECT_LT(EncodeWebp(picture.view(), 10).size(), EncodeWebp(picture.view(), 95).size());
}

TEST(Webp, SaysThatAPictureIsTooLarge) {
  const std::vector<uint8_t> pixels(16384, 0);
  EXPECT_THROW(EncodeWebp({16384, 1, 1, pixels.data()}, 50), Error);
}

TEST(ToPicture, RepeatsGrey) {
  const std::vector<uint8_t> grey = {7, 9};
  EXPECT_EQ(ToPicture({1, 2, 1, grey.data()}).rgb, (std::vector<uint8_t>{7, 7, 7, 9, 9, 9}));
}

// The examples of RFC 4648, section 10.
TEST(DataUri, IsBase64) {
  EXPECT_EQ(DataUri("image/png", ""), "data:image/png;base64,");
  EXPECT_EQ(DataUri("text/plain", "f"), "data:text/plain;base64,Zg==");
  EXPECT_EQ(DataUri("text/plain", "fooba"), "data:text/plain;base64,Zm9vYmE=");
  EXPECT_EQ(DataUri("text/plain", "foobar"), "data:text/plain;base64,Zm9vYmFy");
}

TEST(Thumbnail, IsOpenCvsAreaMean) {
  for (const Json& recorded : Recorded().at("shrunk")) {
    SCOPED_TRACE(recorded.at("shape").dump());
    const std::vector<uint8_t> pixels = recorded.at("pixels");
    const Picture small =
        Thumbnail({recorded.at("shape")[0], recorded.at("shape")[1], 3, pixels.data()}, recorded.at("side").get<int>());
    EXPECT_EQ(small.height, recorded.at("small_shape")[0]);
    EXPECT_EQ(small.width, recorded.at("small_shape")[1]);
    const std::vector<uint8_t> expected = recorded.at("small");
    ASSERT_EQ(small.rgb.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(small.rgb[i], expected[i], 1) << i;  // ties
  }
}

TEST(Thumbnail, NeverEnlarges) {
  const Picture picture = Slope(5, 7);
  EXPECT_EQ(Thumbnail(picture.view(), 7).rgb, picture.rgb);
  EXPECT_EQ(Thumbnail(picture.view(), 100).width, 7);
}

TEST(BlendHeat, IsHalfMatplotlibsInferno) {
  const auto& colours = Recorded().at("inferno");
  const auto count = static_cast<int>(colours.size());
  std::vector<float> heat;
  for (int i = 0; i < count; ++i) heat.push_back(static_cast<float>(i) / static_cast<float>(count - 1));
  const std::vector<uint8_t> grey(static_cast<size_t>(count), 100);
  const Picture blend = BlendHeat({1, count, 1, grey.data()}, heat);
  for (size_t i = 0; i < heat.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(blend.rgb[i * 3 + c], (100 + colours[i][c].get<double>()) / 2, 4) << i << ", " << c;
    }
  }
}

TEST(BlendHeat, HoldsOnToItsRange) {
  const std::vector<uint8_t> grey(4, 0);
  const std::vector<float> heat = {-3, std::nanf(""), 1, 7};
  const Picture blend = BlendHeat({2, 2, 1, grey.data()}, heat);
  EXPECT_EQ(blend.rgb[0], 0);
  EXPECT_EQ(blend.rgb[3], 0);
  EXPECT_EQ(blend.rgb[6], blend.rgb[9]);
  EXPECT_EQ(blend.rgb[6], 126);  // (0 + 252) / 2
}

TEST(ImageSheet, PlacesTilesRowByRow) {
  ImageSheet sheet(2, 3, 2);
  for (int i = 0; i < 3; ++i) {
    const std::vector<uint8_t> tile(6, static_cast<uint8_t>(10 * i));
    EXPECT_EQ(sheet.Add({2, 3, 1, tile.data()}), i);
  }
  EXPECT_EQ(sheet.tiles(), 3);
  EXPECT_EQ(sheet.rows(), 2);
  EXPECT_EQ(sheet.columns(), 2);
  const Picture picture = sheet.picture();
  ASSERT_EQ(picture.height, 4);
  ASSERT_EQ(picture.width, 6);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 6; ++x) {
      const int tile = y / 2 * 2 + x / 3;
      EXPECT_EQ(picture.rgb[static_cast<size_t>(y * 6 + x) * 3], tile < 3 ? 10 * tile : 255) << y << ", " << x;
    }
  }
}

TEST(ImageSheet, KeepsTheOrderWithinATile) {
  std::vector<uint8_t> tile(12);
  std::iota(tile.begin(), tile.end(), uint8_t{1});
  ImageSheet sheet(2, 2, 1);
  sheet.Add({2, 2, 3, tile.data()});
  EXPECT_EQ(sheet.picture().rgb, tile);
}

TEST(ImageSheet, TakesOneSizeOnly) {
  const std::vector<uint8_t> tile(12);
  ImageSheet sheet(2, 3, 2);
  EXPECT_THROW(sheet.Add({3, 2, 1, tile.data()}), Error);
  EXPECT_THROW(ImageSheet(2, 0, 2), Error);
  EXPECT_EQ(sheet.picture().height, 0);
}

}  // namespace
}  // namespace spotter
