// SPDX-License-Identifier: Apache-2.0
// How wide text will be, without asking for a font: a chart is laid out before anyone shows it.
#pragma once

#include <string>
#include <string_view>

namespace spotter {

/// The width of valid UTF-8 in DejaVu Sans, which is wider than what pages use; other characters than ASCII count as
/// one em.
double TextWidth(std::string_view text, double font_size);

/// The text, or its beginning and an ellipsis, at most `width` wide. Bytes that are no text, control characters, and
/// what XML can't hold are replaced first (Printable).
std::string FitText(std::string_view text, double font_size, double width);

}  // namespace spotter
