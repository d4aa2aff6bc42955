// SPDX-License-Identifier: Apache-2.0
// JSON from strangers.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace spotter::api {

/// Not base/json.h's: looking keys up in the order in which they came takes a time that grows with their square.
using GivenJson = nlohmann::json;

/// A JSON object. Throws Refusal(400) when the text is none, or nested deeper than 32, and
/// Refusal(413) when it has more than a million values.
GivenJson ParseObject(std::string_view text);

/// A member of an object, or nullptr. Throws Refusal(400), naming it, when it is there and not of the kind.
const GivenJson* FindText(const GivenJson& object, const char* name);
const GivenJson* FindArray(const GivenJson& object, const char* name);
const GivenJson* FindObject(const GivenJson& object, const char* name);

/// A whole number in a range. Throws Refusal(400) when it is there and none.
std::optional<int64_t> FindInteger(const GivenJson& object, const char* name, int64_t least, int64_t most);
std::optional<bool> FindBool(const GivenJson& object, const char* name);

/// The content of a text that is valid UTF-8 already (the parser has seen to it).
inline const std::string& TextOf(const GivenJson& value) { return value.get_ref<const std::string&>(); }

}  // namespace spotter::api
