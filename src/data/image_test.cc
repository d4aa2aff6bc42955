// SPDX-License-Identifier: Apache-2.0
// Decoding gives the pixels that Pillow gives; what is not an image, too large or damaged is refused with a reason.
#include "data/image.h"

#include <zlib.h>

#include <chrono>

#include "data/test_files.h"

namespace spotter {
namespace {

std::string DecodeError(const std::string& bytes) {
  return ErrorOf(ExitCode::kData, [&] { DecodeImage(bytes); });
}

struct Known {
  const char* name;
  const char* answer;
};

class KnownAnswer : public testing::TestWithParam<Known> {};

TEST_P(KnownAnswer, EqualsPillowsPixels) {
  const std::string bytes = DataFixture(GetParam().name);
  const Image expected = ReadPnm(GetParam().answer);
  ASSERT_TRUE(LooksLikeImage(bytes));
  EXPECT_EQ(ReadImageHeader(bytes), expected.shape);
  EXPECT_EQ(LargestDifference(DecodeImage(bytes), expected), 0);
}

INSTANTIATE_TEST_SUITE_P(Jpeg, KnownAnswer,
                         testing::Values(Known{"colour_420.jpg", "colour_420.jpg.ppm"},
                                         Known{"colour_422.jpg", "colour_422.jpg.ppm"},
                                         Known{"colour_444.jpg", "colour_444.jpg.ppm"},
                                         Known{"progressive.jpg", "progressive.jpg.ppm"},
                                         Known{"grey.jpg", "grey.jpg.pgm"}, Known{"cmyk.jpg", "cmyk.jpg.ppm"}));

INSTANTIATE_TEST_SUITE_P(Orientation, KnownAnswer,
                         testing::Values(Known{"orientation_1.jpg", "orientation_1.jpg.ppm"},
                                         Known{"orientation_2.jpg", "orientation_2.jpg.ppm"},
                                         Known{"orientation_3.jpg", "orientation_3.jpg.ppm"},
                                         Known{"orientation_4.jpg", "orientation_4.jpg.ppm"},
                                         Known{"orientation_5.jpg", "orientation_5.jpg.ppm"},
                                         Known{"orientation_6.jpg", "orientation_6.jpg.ppm"},
                                         Known{"orientation_7.jpg", "orientation_7.jpg.ppm"},
                                         Known{"orientation_8.jpg", "orientation_8.jpg.ppm"}));

INSTANTIATE_TEST_SUITE_P(
    Png, KnownAnswer,
    testing::Values(Known{"colour.png", "colour.png.ppm"}, Known{"grey.png", "grey.png.pgm"},
                    Known{"one_bit.png", "one_bit.png.pgm"}, Known{"palette.png", "palette.png.ppm"},
                    Known{"palette_alpha.png", "palette_alpha.png.ppm"}, Known{"alpha.png", "alpha.png.ppm"},
                    Known{"grey_alpha.png", "grey_alpha.png.pgm"}, Known{"colour_16_bit.png", "colour_16_bit.png.ppm"},
                    Known{"grey_16_bit.png", "grey_16_bit.png.pgm"}, Known{"interlaced.png", "interlaced.png.ppm"}));

INSTANTIATE_TEST_SUITE_P(Webp, KnownAnswer,
                         testing::Values(Known{"lossy.webp", "lossy.webp.ppm"},
                                         Known{"lossless.webp", "lossless.webp.ppm"},
                                         Known{"alpha.webp", "alpha.webp.ppm"},
                                         Known{"orientation_3.webp", "orientation_3.webp.ppm"},
                                         Known{"orientation_6.webp", "orientation_6.webp.ppm"},
                                         Known{"orientation_6_prefixed.webp", "orientation_6_prefixed.webp.ppm"}));

/// A PNG with an eXIf chunk behind its header: a TIFF directory with an orientation alone.
std::string WithOrientation(std::string png, char orientation) {
  const std::string tiff("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19);
  const std::string body = "eXIf" + tiff + orientation + std::string(6, '\0');
  const auto big_endian = [](unsigned long n) {
    return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
                       static_cast<char>(n)};
  };
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return png.insert(33, big_endian(body.size() - 4) + body + big_endian(sum));
}

TEST(DecodeImage, TurnsAPngAsItsExifAsks) {
  const std::string png = DataFixture("colour.png");
  const Image plain = DecodeImage(png);
  const int height = plain.shape.height, width = plain.shape.width;
  const auto same = [&](const Image& image, auto source) {  // source(y, x): where that pixel comes from
    for (int y = 0; y < image.shape.height; ++y) {
      for (int x = 0; x < image.shape.width; ++x) {
        const auto [from_y, from_x] = source(y, x);
        const auto at = image.pixels.begin() + (y * image.shape.width + x) * 3;
        if (!std::equal(at, at + 3, plain.pixels.begin() + (from_y * width + from_x) * 3)) return false;
      }
    }
    return true;
  };
  EXPECT_EQ(DecodeImage(WithOrientation(png, 1)).pixels, plain.pixels);
  EXPECT_EQ(DecodeImage(WithOrientation(png, 9)).pixels, plain.pixels);
  const Image upside_down = DecodeImage(WithOrientation(png, 3));
  EXPECT_TRUE(same(upside_down, [&](int y, int x) { return std::pair(height - 1 - y, width - 1 - x); }));
  const Image turned = DecodeImage(WithOrientation(png, 6));  // a quarter clockwise
  EXPECT_EQ(turned.shape, (ImageShape{width, height, 3}));
  EXPECT_EQ(ReadImageHeader(WithOrientation(png, 6)), turned.shape);
  EXPECT_TRUE(same(turned, [&](int y, int x) { return std::pair(height - 1 - x, y); }));
}

TEST(DecodeImage, RefusesWhatIsNoImage) {
  EXPECT_CONTAINS(DecodeError(""), "empty");
  EXPECT_CONTAINS(DecodeError("just some text"), "not a JPEG, PNG or WebP");
  EXPECT_CONTAINS(DecodeError("GIF89a......"), "not a JPEG, PNG or WebP");
  EXPECT_FALSE(LooksLikeImage("just some text"));
}

TEST(DecodeImage, RefusesAHugePngFromItsHeaderAlone) {
  const std::string bytes = DataFixture("huge.png");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_CONTAINS(DecodeError(bytes), "60000 x 60000");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
}

TEST(DecodeImage, RefusesAHugeJpegFromItsHeaderAlone) {
  std::string bytes = DataFixture("colour_444.jpg");
  const size_t frame = bytes.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  bytes.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC");
  EXPECT_CONTAINS(DecodeError(bytes), "65500 x 65500");
  bytes.replace(frame + 5, 4, std::string("\0\0\0\0", 4));
  EXPECT_CONTAINS(DecodeError(bytes), "no pixels");
}

TEST(DecodeImage, RefusesTooManyPixelsEvenWhereEachSideIsAllowed) {
  std::string bytes = DataFixture("colour_444.jpg");
  bytes.replace(bytes.find("\xFF\xC0") + 5, 4, std::string("\x40\x00\x40\x00", 4));  // 16384 x 16384
  EXPECT_CONTAINS(DecodeError(bytes), "too large");
}

TEST(DecodeImage, RefusesAnimations) {
  EXPECT_CONTAINS(DecodeError(DataFixture("animated.png")), "animation");
  EXPECT_CONTAINS(DecodeError(DataFixture("animated.webp")), "animation");
}

class Truncated : public testing::TestWithParam<const char*> {};

TEST_P(Truncated, IsRefusedWhereverItEnds) {
  const std::string bytes = DataFixture(GetParam());
  for (size_t length = 1; length < bytes.size(); ++length) {
    EXPECT_THROW(DecodeImage(std::string_view(bytes).substr(0, length)), Error) << length << " of " << bytes.size();
  }
}

INSTANTIATE_TEST_SUITE_P(DecodeImage, Truncated,
                         testing::Values("colour_420.jpg", "progressive.jpg", "cmyk.jpg", "palette.png",
                                         "colour_16_bit.png", "lossy.webp", "alpha.webp"));

TEST(DecodeImage, SurvivesDamageAnywhere) {
  for (const char* name :
       {"colour_420.jpg", "progressive.jpg", "orientation_6.jpg", "palette_alpha.png", "lossy.webp"}) {
    const std::string bytes = DataFixture(name);
    for (size_t i = 0; i < bytes.size(); ++i) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
      try {
        DecodeImage(damaged);  // another picture, or an error: no crash
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()), "");
      }
    }
  }
}

TEST(DecodeImage, NoticesADamagedPngByItsChecksum) {
  std::string bytes = DataFixture("colour.png");
  bytes[bytes.find("IDAT") + 20] ^= 1;
  EXPECT_CONTAINS(DecodeError(bytes), "damaged");
}

TEST(DecodeImage, TakesStrayBytesBetweenJpegSegmentsAsOtherProgramsDo) {
  std::string bytes = DataFixture("colour_420.jpg");
  bytes.insert(bytes.find("\xFF\xC0"), "stray");
  EXPECT_EQ(LargestDifference(DecodeImage(bytes), ReadPnm("colour_420.jpg.ppm")), 0);
}

TEST(DecodeImage, IsRightAgainAfterADamagedImage) {
  const std::string good = DataFixture("colour_420.jpg");
  EXPECT_THROW(DecodeImage(good.substr(0, good.size() / 2)), Error);
  EXPECT_EQ(LargestDifference(DecodeImage(good), ReadPnm("colour_420.jpg.ppm")), 0);
}

TEST(DecodeImage, FindsTheSizeBehindALongColourProfile) {
  std::string bytes = DataFixture("colour_420.jpg");
  const std::string segment = "\xFF\xE2\xFF\xFF" + std::string(65533, 'x');
  bytes.insert(2, segment + segment);
  EXPECT_EQ(ReadImageHeader(bytes), (ImageShape{23, 37, 3}));
  EXPECT_EQ(LargestDifference(DecodeImage(bytes), ReadPnm("colour_420.jpg.ppm")), 0);
}

}  // namespace
}  // namespace spotter
