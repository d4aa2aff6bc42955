// SPDX-License-Identifier: Apache-2.0
// JSON out of and into the program.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace spotter {

using Json = nlohmann::ordered_json;  // keys stay in the order in which they were set

/// The text of a value; indent -1 is one line. Bytes that are not UTF-8 (file names may have them) become U+FFFD.
inline std::string DumpJson(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

/// A text as it comes back from a JSON file, by the rule above.
inline std::string ValidUtf8(const std::string& text) { return Json::parse(DumpJson(text)).get<std::string>(); }

}  // namespace spotter
