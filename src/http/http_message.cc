// SPDX-License-Identifier: Apache-2.0
#include "http/http_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <iterator>

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

/// What every answer says unless it says something else itself.
constexpr std::pair<std::string_view, std::string_view> kOfEveryAnswer[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Content-Security-Policy", "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"},
};

}  // namespace

const std::string* HttpRequest::Header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return IsNamed(h, name); });
  return found == headers.end() ? nullptr : &found->second;
}

size_t HttpRequest::Count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(headers.begin(), headers.end(), [&](const auto& h) { return IsNamed(h, name); }));
}

std::string HeadOf(HttpResponse& answer, bool close) {
  if (answer.status < 200 || answer.status > 599) answer = HttpError(500, "an internal error");
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, std::string_view(reason.data(), reason.size()));
  const auto add = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  };
  for (const auto& [name, value] : kOfEveryAnswer) {
    const auto named = [&, name = name](const auto& header) { return IsNamed(header, name); };
    if (std::none_of(answer.headers.begin(), answer.headers.end(), named)) add(name, value);
  }
  for (const auto& [name, value] : answer.headers) add(name, value);
  if (close) add("Connection", "close");
  if (answer.status != 204) {  // which has no body
    add("Content-Type", answer.content_type);
    add("Content-Length", std::to_string(answer.body.size()));
  }
  head += "\r\n";
  return head;
}

HttpResponse HttpError(int status, std::string_view message) {
  return {.status = status,
          .content_type = "application/json",
          .body = DumpJson(Json{{"error", Printable(message)}}) + "\n"};
}

HttpResponse BodyTooLong(uint64_t most) {
  return HttpError(413, "the request's body is too long; at most " + HumanBytes(static_cast<double>(most)) + " are taken");
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
