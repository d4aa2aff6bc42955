// SPDX-License-Identifier: Apache-2.0
#include "draw/text_width.h"

#include <array>
#include <cstdint>

#include "base/text.h"

namespace spotter {
namespace {

/// Advance widths of ' ' to '~' in DejaVu Sans, in hundredths of an em.
constexpr std::array<uint8_t, 95> kWidths = {
    32, 40, 46, 84, 64, 95, 78, 27, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79,
    60, 79, 69, 63, 61, 73, 68, 99, 69,  61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
    63, 28, 28, 58, 28, 97, 63, 61, 63,  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84};

bool StartsCharacter(char c) { return (c & 0xc0) != 0x80; }

double Ems(char c) {
  if (!StartsCharacter(c)) return 0;
  return c >= ' ' && c <= '~' ? kWidths[static_cast<size_t>(c - ' ')] / 100.0 : 1.0;
}

}  // namespace

double TextWidth(std::string_view text, double font_size) {
  double ems = 0;
  for (const char c : text) ems += Ems(c);
  return ems * font_size;
}

std::string FitText(std::string_view text, double font_size, double width) {
  std::string whole = Printable(text);
  // U+FFFE and U+FFFF are no characters of XML.
  for (const char* banned : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (size_t at; (at = whole.find(banned)) != std::string::npos;) whole.replace(at, 3, "\xEF\xBF\xBD");
  }
  if (TextWidth(whole, font_size) <= width) return whole;
  const std::string ellipsis = "…";
  double left = width - TextWidth(ellipsis, font_size);
  size_t end = 0;
  while (end < whole.size() && (left -= Ems(whole[end]) * font_size) >= 0) ++end;
  return whole.substr(0, end) + ellipsis;
}

}  // namespace spotter
