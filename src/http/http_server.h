// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server for a page of this machine's user (the live page of a training run) and for the service that
// answers with predictions. One thread reads and writes; a service may answer from any other.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/http_message.h"

namespace spotter {

struct HttpLimits {
  size_t connections = 64;                      // further clients wait until one of these is gone
  uint32_t header_bytes = 8 << 10;              // more: 431
  uint64_t body_bytes = 1 << 20;                // more: 413
  uint64_t bodies_bytes = uint64_t{256} << 20;  // of all bodies that are coming; more: 503
  // A client that takes longer is cut off:
  std::chrono::milliseconds patience{10'000};       // for a header, and to take an answer that is not long
  std::chrono::milliseconds body_patience{30'000};  // for a whole body, and to take the longest answer
  std::chrono::milliseconds body_quick{1'000};      // no cut: a body that takes longer is a slow one (HttpService)
  std::chrono::milliseconds body_grace{5'000};      // for its beginning; what follows keeps a pace of
  uint64_t body_pace = 16 << 10;                    // bytes a second, on the whole; so does who takes a long answer

  /// From its beginning, for a body of which so much has come.
  std::chrono::milliseconds ForBody(size_t bytes) const { return std::min(body_patience, body_grace + Paced(bytes)); }
  /// To take an answer of that length.
  std::chrono::milliseconds ForAnswer(size_t bytes) const {
    return std::max(patience, std::min(body_patience, Paced(bytes)));
  }
  std::chrono::milliseconds Paced(size_t bytes) const { return std::chrono::milliseconds(1000 * bytes / body_pace); }
};

struct HttpOptions {
  std::string address = "127.0.0.1";  // an IP address
  int port = 0;                       // 0: any that is free
  HttpLimits limits = {};
  std::string certificate = {};  // PEM files for HTTPS: the chain, and its private key; both or neither
  std::string key = {};
  std::vector<std::string> hosts = {};    // further names that this server goes by, whatever the port
  std::vector<std::string> origins = {};  // other sites whose pages may ask: "https://example.org"
};

/// One request under way, and the place for its answer.
class HttpExchange {
 public:
  HttpExchange(HttpRequest request, std::function<void(HttpResponse)> send)
      : request(std::move(request)), send_(std::move(send)) {}
  ~HttpExchange();  // an exchange that was dropped answers 500
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  HttpRequest request;

  /// From any thread. Only the first answer counts.
  void Answer(HttpResponse response);

  /// Whether the client has hung up: nobody waits for the answer any more.
  bool gone() const { return gone_; }
  void SetGone() { gone_ = true; }

 private:
  std::function<void(HttpResponse)> send_;
  std::atomic<bool> answered_ = false;
  std::atomic<bool> gone_ = false;
};

/// What a server serves. Both are called on the server's own thread and must be quick; what they throw becomes a 500
/// without a word about the reason, and the server lives on.
class HttpService {
 public:
  virtual ~HttpService() = default;

  /// A header has come, and its body not yet: a response refuses the request, and the body is never kept.
  virtual std::optional<HttpResponse> Admit(HttpRequest& request);

  /// The body of an admitted request is slow in coming: whatever was set aside for it may go to others meanwhile.
  virtual void OnSlowBody(HttpRequest& request);

  /// Decides about paths and methods (404, 405) and answers, now or later.
  virtual void Serve(std::shared_ptr<HttpExchange> exchange) = 0;
};

/// Only a page of this server is answered: a request whose Host is not the bound address, 127.0.0.1, [::1] or localhost
/// with this port, nor one of `hosts`, gets 421 (DNS rebinding); a server bound to other addresses than this machine's
/// own answers to any IP address. One whose Origin is another site, and none of `origins`, gets 403. Every answer says
/// X-Content-Type-Options: nosniff, Referrer-Policy: no-referrer, Cache-Control: no-store,
/// Cross-Origin-Resource-Policy: same-origin and a Content-Security-Policy of the page's own files only. Errors are
/// JSON: {"error": "..."}.
class HttpServer {
 public:
  /// Listens until destroyed. The threads take no signals, so Ctrl-C reaches the program's own. The service outlives
  /// the server. Throws Error(kUsage) when it can't listen there, or the certificate can't be used.
  HttpServer(const HttpOptions& options, HttpService& service);

  /// For a service that is one function, called on the server's thread. What it throws becomes a 500 with one line.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  HttpServer(const std::string& address, int port, Handler handler, const HttpLimits& limits = {});

  /// Stops at once, whoever is connected; waits only for a service's function that runs.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  std::string url() const;  // "http://127.0.0.1:8080/"
  size_t connections() const;

  /// Takes no more clients; answers what has come, and closes each connection behind its answer. Returns when all are
  /// gone, or after `patience`: whether all are.
  bool Drain(std::chrono::milliseconds patience);

 private:
  struct State;
  std::unique_ptr<HttpService> own_service_;
  std::unique_ptr<State> state_;
};

}  // namespace spotter
