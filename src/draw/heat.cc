// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "draw/pixels.h"

namespace spotter {
namespace {

using Rgb = std::array<uint8_t, 3>;

/// matplotlib's "inferno" at 0, 1/16 ... 1; in between, straight lines stay within 7 of it.
constexpr std::array<Rgb, 17> kInferno = {{{0, 0, 4},
                                           {11, 7, 36},
                                           {33, 12, 74},
                                           {61, 9, 101},
                                           {87, 16, 110},
                                           {113, 25, 110},
                                           {138, 34, 106},
                                           {163, 44, 97},
                                           {188, 55, 84},
                                           {210, 70, 68},
                                           {228, 90, 49},
                                           {241, 115, 29},
                                           {249, 142, 9},
                                           {252, 172, 17},
                                           {249, 203, 53},
                                           {242, 234, 105},
                                           {252, 255, 164}}};

double Inferno(double heat, size_t channel) {
  const double at = heat * (kInferno.size() - 1);
  const auto below = std::min(static_cast<size_t>(at), kInferno.size() - 2);
  return std::lerp(static_cast<double>(kInferno[below][channel]), static_cast<double>(kInferno[below + 1][channel]),
                   at - static_cast<double>(below));
}

}  // namespace

Picture BlendHeat(const PixelView& pixels, std::span<const float> heat) {
  Picture blend = ToPicture(pixels);
  for (size_t i = 0; i < blend.rgb.size(); i += 3) {
    const double grey = 0.299 * blend.rgb[i] + 0.587 * blend.rgb[i + 1] + 0.114 * blend.rgb[i + 2];
    const float value = heat[i / 3];
    const double warm = std::isnan(value) ? 0 : std::clamp(static_cast<double>(value), 0.0, 1.0);
    for (size_t c = 0; c < 3; ++c) {
      blend.rgb[i + c] = static_cast<uint8_t>(std::lround((grey + Inferno(warm, c)) / 2));
    }
  }
  return blend;
}

}  // namespace spotter
