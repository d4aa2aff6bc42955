// SPDX-License-Identifier: Apache-2.0
// Sizes and colours that all charts share.
#pragma once

#include <string>

namespace spotter {

inline constexpr double kTextSize = 13;  // a chart is about 440 wide, so that this is read on a telephone
inline constexpr double kTitleSize = 15;
inline constexpr int kLineStyles = 8;  // line-1 to line-8

/// The rules of ChartStyle() for a file: light, the colours in place of custom properties, which librsvg has not.
std::string FileStyle();

/// The colour of a custom property in light and dark: "#0072b2".
struct Colour {
  const char* name;
  const char* light;
  const char* dark;
};
const Colour& FindColour(const std::string& name);

}  // namespace spotter
