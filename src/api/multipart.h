// SPDX-License-Identifier: Apache-2.0
// multipart/form-data (RFC 7578): what a form in a browser and `curl -F` send.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spotter::api {

struct FormPart {
  std::string name;
  std::string file_name;  // empty: a plain field
  bool is_file = false;
  std::string_view content;  // in the body
};

/// The parts of a body. Throws Refusal(400) when it is none of this content type, is cut short, or has more than
/// `most_parts`.
std::vector<FormPart> ParseMultipart(std::string_view body, std::string_view content_type, size_t most_parts);

}  // namespace spotter::api
