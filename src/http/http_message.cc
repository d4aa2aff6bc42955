// SPDX-License-Identifier: Apache-2.0
#include "http/http_message.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>

#include "base/json.h"
#include "base/text.h"

namespace spotter {
namespace {

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

bool IsNamed(const std::pair<std::string, std::string>& header, std::string_view name) {
  return boost::beast::iequals(header.first, {name.data(), name.size()});
}

}  // namespace

const std::string* HttpRequest::Header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return IsNamed(h, name); });
  return found == headers.end() ? nullptr : &found->second;
}

size_t HttpRequest::Count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(headers.begin(), headers.end(), [&](const auto& h) { return IsNamed(h, name); }));
}

HttpResponse HttpError(int status, std::string_view message) {
  return {.status = status,
          .content_type = "application/json",
          .body = DumpJson(Json{{"error", Printable(message)}}) + "\n"};
}

HttpResponse BodyTooLong(uint64_t most) {
  return HttpError(413, "the request's body is too long; at most " + std::to_string(most) + " bytes are taken");
}

HttpResponse Busy(std::string_view message) {
  HttpResponse response = HttpError(503, message);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

std::optional<std::string> QueryValue(std::string_view query, std::string_view name) {
  for (const std::string_view pair : Split(query, '&')) {
    const size_t equals = pair.find('=');
    if (Unescaped(pair.substr(0, equals)) != name) continue;
    return equals == std::string_view::npos ? "" : Unescaped(pair.substr(equals + 1));
  }
  return {};
}

}  // namespace spotter
