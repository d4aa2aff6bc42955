// SPDX-License-Identifier: Apache-2.0
// What the connections of a server share: the door, the limits, and what is asked of every request before the service
// sees it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "http/http_server.h"
#include "http/own_site.h"

namespace spotter {

/// A client, as its site knows it.
class Client {
 public:
  virtual ~Client() = default;
  virtual void CloseIfIdle() = 0;
  virtual void Abandon() = 0;  // its answer is awaited no longer; may destroy it
};

/// How other threads reach the server's, for as long as there is one.
class Mailbox {
 public:
  explicit Mailbox(boost::asio::io_context& context) : context_(&context) {}
  template <typename Work>
  void Post(Work work) {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) boost::asio::post(*context_, std::move(work));
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  boost::asio::io_context* context_;
};

class Site;

/// What has come of a connection's body, in its site's books for as long as it is coming.
class ComingBody {
 public:
  explicit ComingBody(Site& site) : site_(site) {}
  ~ComingBody() { Count(0); }
  ComingBody(const ComingBody&) = delete;
  ComingBody& operator=(const ComingBody&) = delete;

  /// So many bytes now. Whether that is not too much of all bodies together.
  bool Count(int64_t bytes);

 private:
  Site& site_;
  int64_t bytes_ = 0;
};

/// All is called on the server's thread, save what says otherwise. Connections hold it, so that it outlives them.
class Site : public std::enable_shared_from_this<Site> {
 public:
  Site(boost::asio::io_context& context, const HttpOptions& options, HttpService& service);

  /// Throws Error(kUsage).
  void Listen();
  int port() const { return port_; }
  const OwnSite& own() const { return *own_; }

  /// Takes the clients that come from now on, up to as many as may be.
  void Accept();
  void ConnectionBegins(Client* client);
  void ConnectionEnds(Client* client);
  size_t connections() const { return count_; }  // from any thread

  /// Takes the clients that are at the door already, and then no more.
  void Drain();
  bool draining() const { return draining_; }

  /// Counts bytes of bodies that are coming. Whether they are not too many.
  bool CountComing(int64_t more);

  /// The refusal of a request of which the header has come.
  std::optional<HttpResponse> Refuse(HttpRequest& request);
  void Serve(const std::shared_ptr<HttpExchange>& exchange);
  void OnSlowBody(HttpRequest& request) { service_.OnSlowBody(request); }

  /// What an answer to a page of another site that may ask has to say.
  HttpHeaders CorsHeaders(const HttpRequest& request) const;

  std::shared_ptr<Mailbox> mailbox() const { return mailbox_; }

  /// When the thread has ended: answers that still come are lost, and whoever awaits them is let go.
  void Close();

  const HttpLimits limits;

 private:
  void WelcomeWaiting();
  void Welcome(boost::asio::ip::tcp::socket socket);
  std::optional<HttpResponse> RefuseStranger(const HttpRequest& request) const;

  boost::asio::io_context& context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  std::optional<boost::asio::ssl::context> tls_;
  HttpOptions options_;
  HttpService& service_;
  std::optional<OwnSite> own_;  // since Listen()
  int port_ = 0;
  bool accepting_ = false;
  std::atomic<bool> draining_ = false;
  std::shared_ptr<Mailbox> mailbox_;
  std::set<Client*> clients_;
  std::atomic<size_t> count_ = 0;
  int64_t coming_ = 0;  // bytes
};

}  // namespace spotter
