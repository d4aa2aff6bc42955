// SPDX-License-Identifier: Apache-2.0
#include "http/site.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/string.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/connection.h"

namespace spotter {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

// What the system keeps of a client's answers until they are taken. Left to itself it keeps 3 MB of each client that takes
// none, and thousands of them could fill the memory.
constexpr int kSendBuffer = 1 << 16;

asio::ssl::context MakeTls(const HttpOptions& options) {
  asio::ssl::context tls(asio::ssl::context::tls_server);
  tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                  asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  error_code error;
  tls.use_certificate_chain_file(options.certificate, error);
  if (error) Fail(ExitCode::kUsage, "'{}' can't be used as a certificate: {}", options.certificate, error.message());
  tls.use_private_key_file(options.key, asio::ssl::context::pem, error);
  if (error)
    Fail(ExitCode::kUsage, "'{}' can't be used as the private key of '{}': {}", options.key, options.certificate,
         error.message());
  return tls;
}

}  // namespace

Site::Site(asio::io_context& context, const HttpOptions& options, HttpService& service)
    : limits(options.limits),
      context_(context),
      acceptor_(context),
      timer_(context),
      options_(options),
      service_(service),
      mailbox_(std::make_shared<Mailbox>(context)) {
  if (options.certificate.empty() != options.key.empty())
    Fail(ExitCode::kUsage, "a certificate needs its private key, and the key its certificate");
  if (!options.certificate.empty()) tls_.emplace(MakeTls(options));
}

void Site::Listen() {
  const auto& [address, port] = std::tie(options_.address, options_.port);
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) Fail(ExitCode::kUsage, "'{}' is not an IP address; 127.0.0.1 is this machine", address);
  if (port < 0 || port > 65535) Fail(ExitCode::kUsage, "{} is not a port: 0 (any that is free) to 65535", port);
  const tcp::endpoint endpoint(ip, static_cast<uint16_t>(port));
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);  // not blocked by its own last run
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (error == asio::error::address_in_use) {
    Fail(ExitCode::kUsage, "port {} of {} is taken by another program; give another port, or 0 for any that is free",
         port, address);
  }
  if (error) Fail(ExitCode::kUsage, "can't listen on port {} of {}: {}", port, address, error.message());
  ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);  // a child process would keep the port
  port_ = acceptor_.local_endpoint().port();
  own_.emplace(address, port_, options_.hosts, options_.origins, tls_.has_value());
}

void Site::Accept() {
  if (accepting_ || draining_ || clients_.size() >= limits.connections) return;
  accepting_ = true;
  acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    self->accepting_ = false;
    if (!error) {
      self->Welcome(std::move(socket));
      self->WelcomeWaiting();
      self->Accept();
    } else if (!self->draining_) {  // no file descriptors left, most likely; some may be a little later
      self->timer_.expires_after(std::chrono::milliseconds(100));
      self->timer_.async_wait([self](error_code) { self->Accept(); });
    }
  });
}

/// All at once: one in turn with the clients that are there already would be let in as slowly as those are answered.
void Site::WelcomeWaiting() {
  error_code error;
  while (!error && clients_.size() < limits.connections) {
    tcp::socket socket(context_);
    acceptor_.accept(socket, error);
    if (!error) Welcome(std::move(socket));
  }
}

void Site::Welcome(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);  // an answer is written whole
  socket.set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
  if (tls_) {
    std::make_shared<TlsConnection>(TlsStream(beast::tcp_stream(std::move(socket)), *tls_), shared_from_this())
        ->Start();
  } else {
    std::make_shared<PlainConnection>(beast::tcp_stream(std::move(socket)), shared_from_this())->Start();
  }
}

void Site::ConnectionBegins(Client* client) {
  clients_.insert(client);
  count_ = clients_.size();
}

void Site::ConnectionEnds(Client* client) {
  clients_.erase(client);
  count_ = clients_.size();
  if (!context_.stopped()) Accept();
}

void Site::Drain() {
  if (draining_.exchange(true)) return;
  error_code error;
  acceptor_.cancel(error);
  WelcomeWaiting();
  acceptor_.close(error);
  for (Client* client : std::vector<Client*>(clients_.begin(), clients_.end())) client->CloseIfIdle();
}

bool ComingBody::Count(int64_t bytes) { return site_.CountComing(bytes - std::exchange(bytes_, bytes)); }

bool Site::CountComing(int64_t more) {
  coming_ += more;
  return more <= 0 || coming_ <= static_cast<int64_t>(limits.bodies_bytes);
}

std::optional<HttpResponse> Site::RefuseStranger(const HttpRequest& request) const {
  const std::string* host = request.Header("Host");
  const std::string* origin = request.Header("Origin");
  if (host == nullptr || request.Count("Host") != 1 || !own_->IsHost(*host))
    return HttpError(421, "the address of this page is " + own_->scheme() + "://" + own_->host() + "/");
  const auto from = origin == nullptr ? std::optional<std::string_view>() : *origin;
  if (request.Count("Origin") > 1 || !(own_->IsOrigin(from, *host) || own_->IsInvited(from)))
    return HttpError(403, "only pages of this server may ask");
  if (!request.target.starts_with('/')) return HttpError(400, "the request names no path");
  if (own_->IsInvited(from) && request.method == "OPTIONS") {  // the browser's question, whether a page may ask
    return HttpResponse{
        .status = 204,
        .body = "",
        .headers = {{"Access-Control-Allow-Methods", "GET, POST"},
                    {"Access-Control-Allow-Headers", "Authorization, Content-Type, Inference-Header-Content-Length"},
                    {"Access-Control-Max-Age", "600"}}};
  }
  return {};
}

std::optional<HttpResponse> Site::Refuse(HttpRequest& request) {
  try {
    auto refusal = RefuseStranger(request);
    if (!refusal) refusal = service_.Admit(request);
    if (!refusal && request.length.value_or(0) > limits.body_bytes) refusal = BodyTooLong(limits.body_bytes);
    return refusal;
  } catch (...) {
    return HttpError(500, "an internal error");
  }
}

void Site::Serve(const std::shared_ptr<HttpExchange>& exchange) {
  try {
    service_.Serve(exchange);
  } catch (...) {
    exchange->Answer(HttpError(500, "an internal error"));
  }
}

HttpHeaders Site::CorsHeaders(const HttpRequest& request) const {
  HttpHeaders headers;
  if (options_.origins.empty()) return headers;
  headers.emplace_back("Vary", "Origin");
  const std::string* origin = request.Header("Origin");
  if (origin == nullptr || !own_->IsInvited(*origin)) return headers;
  headers.emplace_back("Access-Control-Allow-Origin", *origin);
  headers.emplace_back("Access-Control-Expose-Headers", "Inference-Header-Content-Length, Retry-After");
  headers.emplace_back("Cross-Origin-Resource-Policy", "cross-origin");
  return headers;
}

void Site::Close() {
  mailbox_->Close();
  for (Client* client : std::vector<Client*>(clients_.begin(), clients_.end())) client->Abandon();
}

}  // namespace spotter
