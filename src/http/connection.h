// SPDX-License-Identifier: Apache-2.0
// One client: request, answer, request, answer ... Over TCP, or TLS on it.
#pragma once

#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "http/request_reader.h"
#include "http/site.h"

namespace spotter {

using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

/// It lives as long as something is asked of its socket, or its answer is awaited. All is called on the server's
/// thread.
template <typename Stream>
class Connection : public Client, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Stream stream, std::shared_ptr<Site> site)
      : stream_(std::move(stream)),
        site_(std::move(site)),
        look_again_(stream_.get_executor()),
        slow_(stream_.get_executor()),
        reader_(site_->limits.header_bytes, site_->limits.body_bytes),
        coming_(*site_) {
    site_->ConnectionBegins(this);
  }
  ~Connection() override { site_->ConnectionEnds(this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start() {
    if constexpr (kTls) {
      Deadline(site_->limits.patience);
      stream_.async_handshake(boost::asio::ssl::stream_base::server, [self = this->shared_from_this()](Code error) {
        if (!error) self->ReadHeader();
      });
    } else {
      ReadHeader();
    }
  }

  void Abandon() override { const auto self_until_now = std::move(self_); }

  void CloseIfIdle() override {
    Code ignored;
    if (!waiting_ || reader_.begun() || socket().available(ignored) > 0) return;
    if (std::exchange(fresh_, false)) {  // who has just been let in is about to ask
      look_again_.expires_after(kFarewell);
      look_again_.async_wait([weak = this->weak_from_this()](Code) {
        if (const auto self = weak.lock()) self->CloseIfIdle();
      });
      return;
    }
    closing_ = true;
    lowest().cancel();  // the read that waits ends, and says farewell
  }

 private:
  using Code = boost::system::error_code;
  using Clock = std::chrono::steady_clock;
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;
  /// How often a client that may hang up is looked at, while what it sent behind its request hides that from us.
  static constexpr std::chrono::milliseconds kLookAgain{100};
  static constexpr std::chrono::milliseconds kFarewell{1000};
  /// A body of a refused request that is no longer than this is read and forgotten, so that the connection can stay.
  static constexpr uint64_t kSmallBody = 64 << 10;

  auto& lowest() { return boost::beast::get_lowest_layer(stream_); }
  auto& socket() { return lowest().socket(); }
  void Deadline(std::chrono::milliseconds patience) { lowest().expires_after(patience); }

  void ReadHeader() {
    reader_.Begin();
    request_ = {};
    cors_.clear();
    head_ = false;
    waiting_ = true;
    Deadline(site_->limits.patience);
    OnHeader(reader_.TakeHeader(0));
  }

  void OnHeader(Code error) {
    if (error || reader_.header_done()) {
      waiting_ = fresh_ = false;
      return error ? OnError(error) : OnWholeHeader();
    }
    stream_.async_read_some(reader_.Room(), [self = this->shared_from_this()](Code error, size_t bytes) {
      if (self->closing_ && error == boost::asio::error::operation_aborted) return self->End();
      self->OnHeader(error ? error : self->reader_.TakeHeader(bytes));
    });
  }

  void OnWholeHeader() {
    request_ = reader_.request();
    cors_ = site_->CorsHeaders(request_);
    head_ = reader_.is_head();
    keep_ = reader_.keep_alive();
    if (auto refusal = site_->Refuse(request_)) {
      keep_ = keep_ && (reader_.done() || (request_.length && *request_.length <= kSmallBody));
      return Write(*std::move(refusal));
    }
    if (reader_.done()) return OnBody({});
    if (reader_.has_body()) return OnBody(reader_.TakeBody(0));
    const std::string* expect = request_.Header("Expect");
    if (expect != nullptr && boost::beast::iequals(*expect, "100-continue")) return WriteContinue();
    ReadBody();
  }

  /// The client waits with its body until it is told that it may come.
  void WriteContinue() {
    static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
    Deadline(site_->limits.patience);
    boost::asio::async_write(stream_, boost::asio::buffer(kContinue, sizeof kContinue - 1),
                             [self = this->shared_from_this()](Code error, size_t) {
                               if (!error) self->ReadBody();
                             });
  }

  void ReadBody() {
    body_began_ = Clock::now();
    wanted_ = !answered_;
    slow_.expires_after(site_->limits.body_quick);
    slow_.async_wait([weak = this->weak_from_this()](Code error) {
      const auto self = weak.lock();
      if (!error && self != nullptr && self->wanted_) self->site_->OnSlowBody(self->request_);
    });
    OnPartOfBody(reader_.TakeBody(0));
  }

  void OnPartOfBody(Code error) {
    if (error || reader_.done()) return OnBody(error);
    if (answered_) reader_.body().clear();  // it was refused: nobody wants the body
    const size_t bytes = reader_.body().size();
    if (!coming_.Count(static_cast<int64_t>(bytes)) && wanted_) {
      wanted_ = false;
      keep_ = false;
      std::string().swap(reader_.body());
      coming_.Count(0);
      return Write(Busy("more bodies are coming than there is memory for; try again later"));
    }
    lowest().expires_at(body_began_ + site_->limits.ForBody(bytes));
    stream_.async_read_some(reader_.Room(), [self = this->shared_from_this()](Code error, size_t bytes) {
      self->OnPartOfBody(error ? error : self->reader_.TakeBody(bytes));
    });
  }

  void OnBody(Code error) {
    coming_.Count(0);
    wanted_ = false;
    slow_.cancel();
    if (error) return OnError(error);
    if (answered_) return ReadNext();
    request_.body = std::move(reader_.body());
    lowest().expires_never();  // the service has its own patience
    self_ = this->shared_from_this();
    std::weak_ptr<Connection> weak = self_;
    const auto exchange = std::make_shared<HttpExchange>(
        std::exchange(request_, {}), [weak, mailbox = site_->mailbox()](HttpResponse response) {
          mailbox->Post([weak, response = std::move(response)]() mutable {
            if (const auto self = weak.lock()) self->Write(std::move(response));
          });
        });
    exchange_ = exchange;
    WatchForHangUp();
    site_->Serve(exchange);
  }

  /// So that nothing is computed for a client that has gone.
  void WatchForHangUp() {
    if (watching_) return;
    watching_ = true;
    std::weak_ptr<Connection> weak = this->shared_from_this();
    socket().async_wait(boost::asio::ip::tcp::socket::wait_read, [weak](Code) {
      if (const auto self = weak.lock()) self->LookForHangUp();
    });
  }

  /// There is something to read: the end, or what comes before it (the next request, or the farewell of TLS).
  void LookForHangUp() {
    watching_ = false;
    const auto exchange = exchange_.lock();
    if (exchange == nullptr) return;
    pollfd client{.fd = socket().native_handle(), .events = POLLRDHUP, .revents = 0};
    if (::poll(&client, 1, 0) != 0) return exchange->SetGone();
    watching_ = true;
    look_again_.expires_after(kLookAgain);
    std::weak_ptr<Connection> weak = this->shared_from_this();
    look_again_.async_wait([weak](Code) {
      if (const auto self = weak.lock()) self->LookForHangUp();
    });
  }

  void OnError(Code error) {
    namespace http = boost::beast::http;
    if (answered_ || error == boost::asio::error::eof) {
      End();
    } else if (error.category() == http::make_error_code(http::error::bad_method).category()) {
      keep_ = false;
      Write(error == http::error::header_limit ? HttpError(431, "the request's header is too long")
            : error == http::error::body_limit ? BodyTooLong(site_->limits.body_bytes)
                                               : HttpError(400, "this is not an HTTP request"));
    }  // else timed out or gone
  }

  void Write(HttpResponse response) {
    const auto self_until_now = std::move(self_);
    response.headers.insert(response.headers.end(), cors_.begin(), cors_.end());
    if (site_->draining()) keep_ = false;
    answer_head_ = HeadOf(response, !keep_);
    const bool bodiless = head_ || response.status == 204;  // HEAD's header still tells the length
    answer_body_ = bodiless ? std::string() : std::move(response.body);
    answered_ = true;
    Deadline(site_->limits.ForAnswer(answer_body_.size()));
    const std::array<boost::asio::const_buffer, 2> answer = {boost::asio::buffer(answer_head_),
                                                             boost::asio::buffer(answer_body_)};
    boost::asio::async_write(stream_, answer, [self = this->shared_from_this()](Code error, size_t) {
      std::string().swap(self->answer_body_);
      if (error) return;
      if (!self->keep_) return self->End();
      if (self->reader_.done()) return self->ReadNext();
      self->ReadBody();
    });
  }

  void ReadNext() {
    answered_ = false;
    ReadHeader();
    if (site_->draining()) CloseIfIdle();
  }

  /// A client that asked for nothing has nothing to take; many never look at a connection that they keep.
  std::chrono::milliseconds FarewellPatience() const {
    return closing_ ? std::min(kFarewell, site_->limits.patience) : site_->limits.patience;
  }

  /// Says that nothing more comes and waits for the client to go: closing a socket with bytes unread would take the
  /// answer from a client that still sends.
  void End() {
    request_ = {};  // and whatever its ticket stands for
    Deadline(FarewellPatience());
    if constexpr (kTls) {
      stream_.async_shutdown([self = this->shared_from_this()](Code) { self->Linger(); });
    } else {
      Linger();
    }
  }
  void Linger() {
    Code ignored;
    socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
    Deadline(FarewellPatience());
    Drain();
  }
  void Drain() {
    lowest().async_read_some(reader_.Waste(), [self = this->shared_from_this()](Code error, size_t) {
      if (!error) self->Drain();
    });
  }

  Stream stream_;
  std::shared_ptr<Site> site_;
  boost::asio::steady_timer look_again_;
  boost::asio::steady_timer slow_;
  RequestReader reader_;
  HttpRequest request_;                   // until its body has come; from then on it is the exchange's,
  std::weak_ptr<HttpExchange> exchange_;  // which is the service's,
  std::shared_ptr<Connection> self_;      // and nothing but this keeps the connection until the answer comes
  HttpHeaders cors_;
  Clock::time_point body_began_;
  ComingBody coming_;
  std::string answer_head_, answer_body_;
  bool head_ = false;
  bool keep_ = false;
  bool waiting_ = false;   // for a header
  bool fresh_ = true;      // it is the first
  bool closing_ = false;   // it was idle when the server drained
  bool wanted_ = false;    // the body that is coming: its request was not refused
  bool watching_ = false;  // for the client to hang up
  bool answered_ = false;
};

using PlainConnection = Connection<boost::beast::tcp_stream>;
using TlsConnection = Connection<TlsStream>;

}  // namespace spotter
