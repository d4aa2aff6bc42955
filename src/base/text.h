// SPDX-License-Identifier: Apache-2.0
// Small text helpers for messages, tables and the languages that users type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spotter {

std::string_view Trim(std::string_view text);
std::vector<std::string_view> Split(std::string_view text, char separator);  // keeps empty parts
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::string Lowercase(std::string_view text);

/// The whole text as a number, or nothing (also for inf and nan). No locale, no trailing characters.
std::optional<double> ParseNumber(std::string_view text);
std::optional<int64_t> ParseInteger(std::string_view text);

/// " (did you mean 'x'?)" for the closest of `known` by edit distance (the beginning of a name is close to it), or ""
/// when none is close.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

/// 1234567 -> "1,234,567".
std::string WithThousands(int64_t number);
/// 0.004 -> "4 ms", 71.2 -> "1 min 11 s", 4000 -> "1 h 6 min".
std::string HumanSeconds(double seconds);
/// 19437575 -> "19.4 MB" (powers of ten).
std::string HumanBytes(double bytes);

/// The word as a POSIX shell takes it back: in single quotes where it holds more than letters, digits and _./-+=:,@%.
std::string ShellWord(std::string_view word);

/// A field for a CSV line after RFC 4180: quoted when it holds a comma, a quote or a line break.
std::string CsvField(std::string_view text);

/// Valid UTF-8 for a terminal or JSON: other bytes become U+FFFD, control characters become '?'.
std::string Printable(std::string_view text);

}  // namespace spotter
