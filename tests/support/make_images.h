// SPDX-License-Identifier: Apache-2.0
// Small pictures for tests, made anew from a seed: no test needs files from elsewhere.
#pragma once

#include <png.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/test_support.h"

namespace spotter {

/// Writes 8-bit RGB pixels, row by row, as a PNG file.
inline void WritePng(const std::filesystem::path& path, int width, int height, const std::vector<uint8_t>& rgb) {
  std::filesystem::create_directories(path.parent_path());
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&image, path.c_str(), 0, rgb.data(), 0, nullptr) == 0) {
    throw std::runtime_error("can't write " + path.string());
  }
}

/// Noise in which one of the three colours is a little stronger: learnable, and not at once.
inline std::vector<uint8_t> TintedNoise(int side, int colour, int tint, std::mt19937& random) {
  std::vector<uint8_t> rgb(static_cast<size_t>(side * side * 3));
  for (size_t i = 0; i < rgb.size(); ++i) {
    rgb[i] =
        static_cast<uint8_t>(random() % 200 + (static_cast<int>(i % 3) == colour ? static_cast<unsigned>(tint) : 0));
  }
  return rgb;
}

struct ImageFolder {
  std::vector<std::string> classes = {"blue", "green", "red"};
  int each = 40;
  int side = 16;
  int tint = 12;  // up to 55; the more, the easier
  unsigned seed = 1;
};

/// FOLDER/CLASS/00.png ...
inline void MakeImageFolder(const std::filesystem::path& folder, const ImageFolder& spec = {}) {
  std::mt19937 random(spec.seed);
  for (size_t c = 0; c < spec.classes.size(); ++c) {
    for (int i = 0; i < spec.each; ++i) {
      const std::string name = (i < 10 ? "0" : "") + std::to_string(i) + ".png";
      WritePng(folder / spec.classes[c] / name, spec.side, spec.side,
               TintedNoise(spec.side, static_cast<int>(c % 3), spec.tint, random));
    }
  }
}

/// A PNG file of a few bytes whose header promises width x height pixels.
inline std::string PngHeaderOnly(uint32_t width, uint32_t height) {
  const auto big_endian = [](uint32_t n) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift & 0xff);
    return bytes;
  };
  const auto chunk = [&](const std::string& type, const std::string& data) {
    const std::string body = type + data;
    const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(static_cast<uint32_t>(sum));
  };
  const std::string depth("\x08\x02\x00\x00\x00", 5);  // 8 bits, RGB
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(width) + big_endian(height) + depth) + chunk("IDAT", "x") +
         chunk("IEND", "");
}

}  // namespace spotter
