// SPDX-License-Identifier: Apache-2.0
// A request and its answer, as the server gives and takes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spotter {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;  // names as they were written

/// HEAD comes as GET; the server leaves the body out of the answer.
struct HttpRequest {
  std::string method;
  std::string target;  // path and query as they were sent, percent signs and all; begins with '/'
  std::string path;
  std::string query;  // what follows the first '?'
  HttpHeaders headers;
  std::optional<uint64_t> length;  // of the body, where it was told before; a chunked one's is not
  std::string body;
  std::shared_ptr<void> ticket;  // whatever HttpService::Admit put here; kept until the answer has been sent

  /// The first header of this name, whatever its case; nullptr when there is none.
  const std::string* Header(std::string_view name) const;

  /// How many headers have this name.
  size_t Count(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  /// Further headers, each once. One that every answer has (Content-Security-Policy, Cache-Control ...) takes its
  /// place; Content-Type, Content-Length and Connection are the server's.
  HttpHeaders headers = {};
};

/// The status line and the headers of an answer, those that every answer has among them, and the empty line behind.
/// `close`: the connection ends with it. An answer whose status is none becomes a 500.
std::string HeadOf(HttpResponse& answer, bool close);

/// An answer that says what is wrong: {"error": "..."}. The message is one line for a person.
HttpResponse HttpError(int status, std::string_view message);

/// 413: the body has more bytes than these.
HttpResponse BodyTooLong(uint64_t most);

/// 503, and that it is worth while to come again in a second.
HttpResponse Busy(std::string_view message);

/// The value of `name` in a query ("a=1&b=2"), percent signs and '+' resolved; nothing where it does not stand.
std::optional<std::string> QueryValue(std::string_view query, std::string_view name);

}  // namespace spotter
