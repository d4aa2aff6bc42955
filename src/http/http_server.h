// SPDX-License-Identifier: Apache-2.0
// A small HTTP server for a page of this machine's user: the live page of a training run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace spotter {

/// HEAD comes as GET; the server leaves the body out of the answer.
struct HttpRequest {
  std::string method;
  std::string target;  // path and query as they were sent, percent signs and all; begins with '/'
  std::string path;
  std::string query;  // what follows the first '?'
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  /// Further headers. One that the server sets as well (Content-Security-Policy, Cache-Control, ...) takes its place.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct HttpLimits {
  size_t connections = 64;                     // further clients wait until one of these is gone
  uint32_t header_bytes = 8 << 10;             // more: 431
  uint64_t body_bytes = 1 << 20;               // more: 413
  std::chrono::milliseconds patience{10'000};  // for a request to come, and for an answer to be taken
};

/// Serves many clients from one thread. Only a page of this server is answered: a request whose Host is not the bound
/// address, 127.0.0.1, [::1] or localhost with this port gets 403 (DNS rebinding), and so does one whose Origin is
/// another site. Every answer says X-Content-Type-Options: nosniff, Referrer-Policy: no-referrer, Cache-Control:
/// no-store, Cross-Origin-Resource-Policy: same-origin and a Content-Security-Policy of the page's own files only.
class HttpServer {
 public:
  /// Called on the server's own thread, one request after another. It decides about paths and methods (404, 405). What
  /// it throws becomes a 500 with one line, and the server lives on.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  /// Listens on an IP address and a port (0: any that is free) until destroyed. The thread takes no signals, so Ctrl-C
  /// reaches the program's own. Throws Error(kUsage) when it can't listen there.
  HttpServer(const std::string& address, int port, Handler handler, const HttpLimits& limits = {});
  /// Stops at once, whoever is connected; waits only for a handler that runs.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  std::string url() const;  // "http://127.0.0.1:8080/"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spotter
