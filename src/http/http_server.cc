// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <thread>

#include "base/service_thread.h"
#include "http/site.h"

namespace spotter {
namespace {

class OneFunction : public HttpService {
 public:
  explicit OneFunction(HttpServer::Handler handler) : handler_(std::move(handler)) {}

  void Serve(std::shared_ptr<HttpExchange> exchange) override {
    try {
      exchange->Answer(handler_(exchange->request));
    } catch (const std::exception& error) {
      exchange->Answer(HttpError(500, error.what()));
    }
  }

 private:
  HttpServer::Handler handler_;
};

}  // namespace

HttpExchange::~HttpExchange() { Answer(HttpError(500, "an internal error: there is no answer")); }

void HttpExchange::Answer(HttpResponse response) {
  if (!answered_.exchange(true)) std::exchange(send_, nullptr)(std::move(response));
}

std::optional<HttpResponse> HttpService::Admit(HttpRequest&) { return {}; }

void HttpService::OnSlowBody(HttpRequest&) {}

struct HttpServer::State {
  State(const HttpOptions& options, HttpService& service) : site(std::make_shared<Site>(context, options, service)) {
    site->Listen();
    site->Accept();
    thread = ServiceThread("http", [this] { Run(); });  // bench/live_cost.py knows it by this name
  }
  ~State() {
    context.stop();
    thread.join();
    site->Close();
  }

  void Run() {
    while (!context.stopped()) {
      try {
        context.run();
      } catch (const std::exception&) {  // out of memory: that connection is lost
      }
    }
  }

  boost::asio::io_context context{1};
  /// Connections that wait for the service's answer have nothing under way here.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> open = boost::asio::make_work_guard(context);
  std::shared_ptr<Site> site;
  std::thread thread;
};

HttpServer::HttpServer(const HttpOptions& options, HttpService& service)
    : state_(std::make_unique<State>(options, service)) {}

HttpServer::HttpServer(const std::string& address, int port, Handler handler, const HttpLimits& limits)
    : own_service_(std::make_unique<OneFunction>(std::move(handler))),
      state_(std::make_unique<State>(HttpOptions{.address = address, .port = port, .limits = limits}, *own_service_)) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const { return state_->site->port(); }

std::string HttpServer::url() const {
  const OwnSite& own = state_->site->own();
  return own.scheme() + "://" + own.host() + "/";
}

size_t HttpServer::connections() const { return state_->site->connections(); }

bool HttpServer::Drain(std::chrono::milliseconds patience) {
  state_->site->mailbox()->Post([site = state_->site] { site->Drain(); });
  const auto end = std::chrono::steady_clock::now() + patience;
  while (connections() > 0 || !state_->site->draining()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace spotter
