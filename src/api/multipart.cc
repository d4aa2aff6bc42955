// SPDX-License-Identifier: Apache-2.0
#include "api/multipart.h"

#include <fmt/format.h>

#include "api/given_image.h"
#include "base/text.h"

namespace spotter::api {
namespace {

/// The parameter `name` of a header such as `form-data; name="image"; filename="a b.png"`; empty when it has none.
std::string Parameter(std::string_view header, std::string_view name, bool* found = nullptr) {
  size_t at = header.find(';');
  while (at != std::string_view::npos && at < header.size()) {
    std::string_view rest = Trim(header.substr(at + 1));
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) break;
    const std::string key = Lowercase(Trim(rest.substr(0, equals)));
    rest = rest.substr(equals + 1);
    std::string value;
    size_t end = 0;
    if (rest.starts_with('"')) {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end) {
        if (rest[end] == '\\' && end + 1 < rest.size() && rest[end + 1] == '"') ++end;
        value += rest[end];
      }
    } else {
      end = std::min(rest.find(';'), rest.size());
      value = Trim(rest.substr(0, end));
    }
    if (key == name) {
      if (found != nullptr) *found = true;
      return value;
    }
    const size_t next = rest.find(';', end);
    at = next == std::string_view::npos ? next : static_cast<size_t>(rest.data() - header.data()) + next;
  }
  return "";
}

[[noreturn]] void NotMultipart(const char* why) {
  throw Refusal(400, fmt::format("the body is not multipart/form-data: {}", why));
}

FormPart ParsePart(std::string_view part) {
  const size_t end = part.find("\r\n\r\n");
  if (end == std::string_view::npos) NotMultipart("a part has no header");
  FormPart parsed;
  parsed.content = part.substr(end + 4);
  bool named = false;
  for (const std::string_view line : Split(part.substr(0, end), '\n')) {
    const std::string_view header = Trim(line);
    const size_t colon = header.find(':');
    if (colon == std::string_view::npos || Lowercase(header.substr(0, colon)) != "content-disposition") continue;
    parsed.name = Parameter(header.substr(colon + 1), "name", &named);
    parsed.file_name = Parameter(header.substr(colon + 1), "filename", &parsed.is_file);
  }
  if (!named) NotMultipart("a part has no name");
  return parsed;
}

}  // namespace

std::vector<FormPart> ParseMultipart(std::string_view body, std::string_view content_type, size_t most_parts) {
  const std::string boundary = Parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) NotMultipart("Content-Type names no boundary of 1 to 70 characters");
  const std::string line = "--" + boundary;
  if (!body.starts_with(line)) NotMultipart("it does not begin with its boundary");
  body.remove_prefix(line.size());
  const std::string separator = "\r\n" + line;
  std::vector<FormPart> parts;
  while (!body.starts_with("--")) {
    if (!body.starts_with("\r\n")) NotMultipart("a boundary is not followed by a new line");
    const size_t end = body.find(separator, 2);
    if (end == std::string_view::npos) NotMultipart("it is cut short: its last boundary is missing");
    if (parts.size() == most_parts) throw Refusal(413, fmt::format("the form has more than {} parts", most_parts));
    // A part without headers begins with the empty line itself.
    parts.push_back(ParsePart(body.substr(2, end - 2)));
    body.remove_prefix(end + separator.size());
  }
  return parts;
}

}  // namespace spotter::api
