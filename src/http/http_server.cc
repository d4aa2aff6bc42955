// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <fcntl.h>
#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "http/own_site.h"

namespace spotter {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

HttpResponse OneLine(int status, const std::string& line) { return {.status = status, .body = line + "\n"}; }

Response ToMessage(const HttpResponse& answer) {
  Response message;
  message.result(static_cast<unsigned>(answer.status));
  message.set(http::field::content_type, answer.content_type);
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Referrer-Policy", "no-referrer");
  message.set(http::field::cache_control, "no-store");
  message.set("Cross-Origin-Resource-Policy", "same-origin");
  message.set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; frame-ancestors 'none'");
  for (const auto& [name, value] : answer.headers) message.set(name, value);
  message.body() = answer.body;
  message.prepare_payload();
  return message;
}

/// What all connections share. They hold it, so that it outlives them.
class Site : public std::enable_shared_from_this<Site> {
 public:
  Site(asio::io_context& context, HttpServer::Handler handler, const HttpLimits& limits)
      : limits(limits), context_(context), acceptor_(context), timer_(context), handler_(std::move(handler)) {}

  /// Throws Error(kUsage).
  void Listen(const std::string& address, int port);
  int port() const { return port_; }
  const OwnSite& own() const { return *own_; }

  /// Takes the next client, unless there are as many as may be.
  void Accept();
  void ConnectionEnded();

  Response Answer(const Request& request) const;

  const HttpLimits limits;

 private:
  HttpResponse Ask(const Request& request) const;

  asio::io_context& context_;
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  HttpServer::Handler handler_;
  std::optional<OwnSite> own_;  // since Listen()
  int port_ = 0;
  bool accepting_ = false;
  size_t connections_ = 0;
};

/// One client: request, answer, request, answer ... It lives as long as something is asked of its socket.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Site> site) : stream_(std::move(socket)), site_(std::move(site)) {}
  ~Connection() { site_->ConnectionEnded(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Read() {
    parser_.emplace();
    parser_->header_limit(site_->limits.header_bytes);
    parser_->body_limit(site_->limits.body_bytes);
    stream_.expires_after(site_->limits.patience);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }

 private:
  void OnRead(error_code error) {
    if (!error) {
      const Request& request = parser_->get();
      const bool keep = request.keep_alive();
      Response answer = site_->Answer(request);
      answer.keep_alive(keep);
      Write(std::move(answer));
    } else if (error == http::error::end_of_stream || error == http::error::partial_message) {
      End();
    } else if (error.category() == http::make_error_code(http::error::bad_method).category()) {
      Write(Refusal(error));
    }  // else timed out or gone
  }

  static Response Refusal(error_code error) {
    Response answer = ToMessage(error == http::error::header_limit ? OneLine(431, "the request's header is too long")
                                : error == http::error::body_limit ? OneLine(413, "the request's body is too long")
                                                                   : OneLine(400, "this is not an HTTP request"));
    answer.keep_alive(false);
    return answer;
  }

  void Write(Response answer) {
    answer_ = std::move(answer);
    stream_.expires_after(site_->limits.patience);
    http::async_write(stream_, answer_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return;
      if (self->answer_.keep_alive()) {
        self->Read();
      } else {
        self->End();
      }
    });
  }

  /// Says that nothing more comes and waits for the client to go: closing a socket with bytes unread would take the
  /// answer from a client that still sends.
  void End() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(site_->limits.patience);
    Drain();
  }
  void Drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code error, size_t) {
      if (!error) self->Drain();
    });
  }

  beast::tcp_stream stream_;
  std::shared_ptr<Site> site_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;  // one a request
  Response answer_;
};

void Site::Listen(const std::string& address, int port) {
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) Fail(ExitCode::kUsage, "'{}' is not an IP address; 127.0.0.1 is this machine", address);
  if (port < 0 || port > 65535) Fail(ExitCode::kUsage, "{} is not a port: 0 (any that is free) to 65535", port);
  const tcp::endpoint endpoint(ip, static_cast<uint16_t>(port));
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);  // not blocked by its own last run
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    Fail(ExitCode::kUsage, "port {} of {} is taken by another program; give another port, or 0 for any that is free",
         port, address);
  }
  if (error) Fail(ExitCode::kUsage, "can't listen on port {} of {}: {}", port, address, error.message());
  ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);  // a child process would keep the port
  port_ = acceptor_.local_endpoint().port();
  own_.emplace(address, port_);
}

void Site::Accept() {
  if (accepting_ || connections_ >= limits.connections) return;
  accepting_ = true;
  acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    self->accepting_ = false;
    if (!error) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);  // an answer is written whole
      const auto connection = std::make_shared<Connection>(std::move(socket), self);
      ++self->connections_;
      connection->Read();
      self->Accept();
    } else {  // no file descriptors left, most likely; some may be a little later
      self->timer_.expires_after(std::chrono::milliseconds(100));
      self->timer_.async_wait([self](error_code) { self->Accept(); });
    }
  });
}

void Site::ConnectionEnded() {
  --connections_;
  if (!context_.stopped()) Accept();
}

Response Site::Answer(const Request& request) const {
  Response message;
  try {
    message = ToMessage(Ask(request));
  } catch (const std::exception& error) {
    message = ToMessage(OneLine(500, Printable(error.what())));
  } catch (...) {
    message = ToMessage(OneLine(500, "an error without a description"));
  }
  if (request.method() == http::verb::head) message.body().clear();  // the header still tells its length
  return message;
}

HttpResponse Site::Ask(const Request& request) const {
  const auto text = [](beast::string_view view) { return std::string(view.data(), view.size()); };
  const std::string host = text(request[http::field::host]);
  std::optional<std::string> origin;
  if (request.count(http::field::origin) > 0) origin = text(request[http::field::origin]);
  if (request.count(http::field::host) != 1 || !own_->IsHost(host)) {
    return OneLine(403, "the address of this page is http://" + own_->host() + "/");
  }
  if (request.count(http::field::origin) > 1 || !own_->IsOrigin(origin, host)) {
    return OneLine(403, "only pages of this server may ask");
  }
  const std::string target = text(request.target());
  if (!target.starts_with('/')) return OneLine(400, "the request names no path");
  const size_t mark = target.find('?');
  const bool head = request.method() == http::verb::head;
  return handler_({.method = head ? "GET" : text(request.method_string()),
                   .target = target,
                   .path = target.substr(0, mark),
                   .query = mark == std::string::npos ? "" : target.substr(mark + 1),
                   .body = request.body()});
}

/// All signals go to other threads while it lives; a thread inherits that.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &old_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &old_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t old_;
};

}  // namespace

struct HttpServer::State {
  void Run() {
    while (!context.stopped()) {
      try {
        context.run();
      } catch (const std::exception&) {  // out of memory: that connection is lost
      }
    }
  }

  asio::io_context context{1};
  std::shared_ptr<Site> site;
  std::thread thread;
};

HttpServer::HttpServer(const std::string& address, int port, Handler handler, const HttpLimits& limits)
    : state_(std::make_unique<State>()) {
  state_->site = std::make_shared<Site>(state_->context, std::move(handler), limits);
  state_->site->Listen(address, port);
  state_->site->Accept();
  const SignalsBlocked blocked;
  state_->thread = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "http");  // top -H and bench/live_cost.py know it by this
    state_->Run();
  });
}

HttpServer::~HttpServer() {
  state_->context.stop();
  state_->thread.join();
}

int HttpServer::port() const { return state_->site->port(); }
std::string HttpServer::url() const { return "http://" + state_->site->own().host() + "/"; }

}  // namespace spotter
