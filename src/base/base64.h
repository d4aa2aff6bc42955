// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spotter {

/// The bytes of base64 text (RFC 4648, section 4), with or without its padding, line breaks left out of account;
/// nothing where it is none.
std::optional<std::string> DecodeBase64(std::string_view text);

std::string EncodeBase64(std::string_view bytes);

}  // namespace spotter
