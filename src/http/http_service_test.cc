// SPDX-License-Identifier: Apache-2.0
// A service that answers later, from other threads, and refuses what it has only seen the header of.
#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "http/test_client.h"

namespace spotter {
namespace {

using std::chrono::milliseconds;

bool Soon(const std::function<bool()>& is_so) {
  for (int i = 0; i < 200 && !is_so(); ++i) std::this_thread::sleep_for(milliseconds(10));
  return is_so();
}

/// Keeps what it is asked until the test answers; turns away what asks for /full.
class PatientService : public HttpService {
 public:
  std::optional<HttpResponse> Admit(HttpRequest& request) override {
    if (request.path == "/throw") throw std::runtime_error("secret");
    request.ticket = std::make_shared<int>(0);
    ticket_ = request.ticket;
    if (request.path != "/full") return {};
    HttpResponse busy = HttpError(503, "full");
    busy.headers.emplace_back("Retry-After", "1");
    return busy;
  }
  void OnSlowBody(HttpRequest& request) override { ++*std::static_pointer_cast<int>(request.ticket); }
  void Serve(std::shared_ptr<HttpExchange> exchange) override {
    const std::lock_guard lock(mutex_);
    exchanges_.push_back(std::move(exchange));
    came_.notify_all();
  }
  /// Whether that of the last request is given back.
  bool TicketIsBackSoon() const {
    return Soon([&] { return ticket_.expired(); });
  }
  std::shared_ptr<HttpExchange> Next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, std::chrono::seconds(10), [&] { return !exchanges_.empty(); })) return nullptr;
    auto exchange = std::move(exchanges_.front());
    exchanges_.erase(exchanges_.begin());
    return exchange;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::shared_ptr<HttpExchange>> exchanges_;
  std::weak_ptr<void> ticket_;
};

std::string HostLine(const HttpServer& server) { return "Host: localhost:" + std::to_string(server.port()) + "\r\n"; }

/// Whether the server notices that the client has hung up.
bool IsGoneSoon(const HttpExchange& exchange) {
  return Soon([&] { return exchange.gone(); });
}

TEST(HttpService, AnswersLaterFromAnyThread) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  TestClient one(server), two(server);
  one.Send("POST /one HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 3\r\n\r\nabc");
  auto first = service.Next();
  two.Send("GET /two?x HTTP/1.1\r\n" + HostLine(server) + "X-Thing: y\r\n\r\n");
  auto second = service.Next();
  EXPECT_EQ(first->request.body, "abc");
  EXPECT_EQ(first->request.length, 3U);
  EXPECT_EQ(second->request.query, "x");
  ASSERT_NE(second->request.Header("x-thing"), nullptr);
  EXPECT_EQ(*second->request.Header("x-thing"), "y");
  std::thread([&] { second->Answer({.body = "second"}); }).join();
  EXPECT_EQ(Body(two.Answer()), "second");
  first->Answer({.body = "first"});
  first->Answer({.body = "again"});
  EXPECT_EQ(Body(one.Answer()), "first");
  one.Send("GET /three HTTP/1.1\r\n" + HostLine(server) + "\r\n");
  service.Next()->Answer({.body = "third"});
  EXPECT_EQ(Body(one.Answer()), "third");
}

TEST(HttpService, SaysThatAnAnswerIsMissing) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  TestClient client(server);
  client.Send("GET / HTTP/1.1\r\n" + HostLine(server) + "\r\n");
  service.Next().reset();
  EXPECT_EQ(Status(client.Answer()), "HTTP/1.1 500 Internal Server Error");
  const std::string thrown = client.Ask("GET /throw HTTP/1.1");
  EXPECT_EQ(Status(thrown), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(thrown.find("secret"), std::string::npos) << "reasons stay inside";
}

TEST(HttpService, RefusesBeforeTheBodyIsRead) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  TestClient client(server);
  client.Send("POST /full HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 5\r\n\r\n");  // and no body yet
  const std::string answer = client.Answer();
  EXPECT_EQ(Status(answer), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(Has(answer, "Retry-After: 1"));
  client.Send("12345GET /next HTTP/1.1\r\n" + HostLine(server) +
              "\r\n");  // a short body is forgotten, the client stays
  auto next = service.Next();
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->request.path, "/next");
  EXPECT_EQ(next->request.body, "");
  next->Answer({.body = "next"});
  EXPECT_EQ(Body(client.Answer()), "next");
  TestClient large(server);
  large.Send("POST /full HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(Has(large.Answer(), "Connection: close"));
  TestClient chunked(server);
  chunked.Send("POST /full HTTP/1.1\r\n" + HostLine(server) + "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(Has(chunked.Answer(), "Connection: close"));
}

TEST(HttpService, AsksForABodyThatIsWaitedWith) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  TestClient client(server);
  client.Send("POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(Status(client.Answer()), "HTTP/1.1 100 Continue");
  client.Send("abc");
  auto exchange = service.Next();
  ASSERT_NE(exchange, nullptr);
  EXPECT_EQ(exchange->request.body, "abc");
  exchange->Answer({.body = "done"});
  EXPECT_EQ(Body(client.Answer()), "done");
  client.Send("POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
  exchange = service.Next();
  ASSERT_NE(exchange, nullptr);
  exchange->Answer({.body = "it was there"});
  EXPECT_EQ(Body(client.Answer()), "it was there");
  client.Send("POST /full HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(Status(client.Answer()), "HTTP/1.1 503 Service Unavailable");
}

TEST(HttpService, TakesChunkedBodies) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  TestClient client(server);
  client.Send("POST / HTTP/1.1\r\n" + HostLine(server) +
              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
  auto exchange = service.Next();
  ASSERT_NE(exchange, nullptr);
  EXPECT_EQ(exchange->request.body, "abcde");
  EXPECT_EQ(exchange->request.length, std::nullopt);
}

TEST(HttpService, GivesTheTicketOfABadBodyBackWithTheAnswer) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  TestClient client(server);
  client.Send("POST / HTTP/1.1\r\n" + HostLine(server) + "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
  EXPECT_EQ(Status(client.Answer()), "HTTP/1.1 400 Bad Request");
  EXPECT_TRUE(service.TicketIsBackSoon()) << "though the client has not hung up";
}

TEST(HttpService, ForgetsTheBodyOfARefusedRequest) {
  PatientService service;
  const HttpServer server(HttpOptions{.limits = {.bodies_bytes = 1000}}, service);
  TestClient refused(server), other(server);
  refused.Send("POST /full HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 60000\r\n\r\n" +
               std::string(50000, 'x'));
  EXPECT_EQ(Status(refused.Answer()), "HTTP/1.1 503 Service Unavailable");
  // A body that comes in parts, and is wanted, has all the memory there is.
  other.Send("POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 900\r\n\r\n" + std::string(500, 'y'));
  std::this_thread::sleep_for(milliseconds(50));
  other.Send(std::string(400, 'y'));
  const auto exchange = service.Next();
  ASSERT_NE(exchange, nullptr);
  EXPECT_EQ(exchange->request.body, std::string(900, 'y'));
}

TEST(HttpService, HasNoBodyWithoutContent) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  TestClient client(server);
  for (const char* path : {"/first", "/second"}) {
    client.Send(std::string("GET ") + path + " HTTP/1.1\r\n" + HostLine(server) + "\r\n");
    const auto exchange = service.Next();
    ASSERT_NE(exchange, nullptr);
    EXPECT_EQ(exchange->request.path, path);
    exchange->Answer({.status = 204, .body = "nobody reads this"});
    const std::string answer = client.Answer();
    EXPECT_EQ(Status(answer), "HTTP/1.1 204 No Content");
    EXPECT_EQ(answer.find("Content-Length"), std::string::npos);
  }
}

TEST(HttpService, KnowsWhenTheClientHasGone) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  std::shared_ptr<HttpExchange> exchange;
  {
    TestClient client(server);
    client.Send("GET / HTTP/1.1\r\n" + HostLine(server) + "\r\n");
    exchange = service.Next();
    ASSERT_NE(exchange, nullptr);
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_FALSE(exchange->gone());
  }
  EXPECT_TRUE(IsGoneSoon(*exchange));
  exchange->Answer({.body = "for nobody"});
}

TEST(HttpService, KnowsWhenAClientHasGoneThatAskedForMore) {
  PatientService service;
  const HttpServer server(HttpOptions{}, service);
  std::shared_ptr<HttpExchange> exchange;
  {
    TestClient client(server);
    client.Send("GET / HTTP/1.1\r\n" + HostLine(server) + "\r\n");
    exchange = service.Next();
    ASSERT_NE(exchange, nullptr);
    client.Send("GET /more HTTP/1.1\r\n");
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_FALSE(exchange->gone());
  }
  EXPECT_TRUE(IsGoneSoon(*exchange));
}

TEST(HttpService, CutsOffASlowBodyHoweverOftenABitOfItComes) {
  PatientService service;
  HttpOptions options;
  options.limits.body_patience = milliseconds(300);
  const HttpServer server(options, service);
  TestClient client(server);
  client.Send("POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 1000\r\n\r\n");
  const double begin = Seconds();
  for (int i = 0; i < 100 && client.Send("x"); ++i) std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(client.Rest(), "");
  EXPECT_LT(Seconds() - begin, 1.5);
}

TEST(HttpService, CutsOffABodyThatDoesNotCome) {
  PatientService service;
  HttpOptions options;
  options.limits.body_grace = milliseconds(300);
  const HttpServer server(options, service);
  TestClient client(server);
  client.Send("POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 1000\r\n\r\nx");
  const double begin = Seconds();
  EXPECT_EQ(client.Rest(), "");
  EXPECT_LT(Seconds() - begin, 1.5);
}

TEST(HttpService, WaitsForABodyThatKeepsThePace) {
  PatientService service;
  HttpOptions options;
  options.limits.body_grace = milliseconds(200);
  options.limits.body_pace = 1000;
  const HttpServer server(options, service);
  TestClient client(server);
  client.Send("POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 1000\r\n\r\n");
  for (int i = 0; i < 10; ++i) {  // twice as fast as it must be, and longer than the grace
    ASSERT_TRUE(client.Send(std::string(100, 'x')));
    std::this_thread::sleep_for(milliseconds(50));
  }
  auto exchange = service.Next();
  ASSERT_NE(exchange, nullptr);
  exchange->Answer({.body = "done"});
  EXPECT_EQ(Body(client.Answer()), "done");
}

TEST(HttpService, IsToldOfSlowBodiesAlone) {
  PatientService service;
  HttpOptions options;
  options.limits.body_quick = milliseconds(100);
  const HttpServer server(options, service);
  const std::string head = "POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 2\r\n\r\n";
  TestClient client(server);
  for (const bool slow : {false, true, false}) {
    client.Send(head + "a");
    if (slow) std::this_thread::sleep_for(milliseconds(300));
    client.Send("b");
    auto exchange = service.Next();
    ASSERT_NE(exchange, nullptr);
    std::this_thread::sleep_for(milliseconds(150));  // what comes after the body does not count
    EXPECT_EQ(*std::static_pointer_cast<int>(exchange->request.ticket), slow ? 1 : 0);
    exchange->Answer({.body = "done"});
    EXPECT_EQ(Body(client.Answer()), "done");
  }
}

TEST(HttpService, TakesNoMoreBodiesAtOnceThanItMayKeep) {
  PatientService service;
  HttpOptions options;
  options.limits.bodies_bytes = 1000;
  const HttpServer server(options, service);
  const std::string head = "POST / HTTP/1.1\r\n" + HostLine(server) + "Content-Length: 900\r\n\r\n";
  TestClient first(server), second(server);
  first.Send(head + std::string(800, 'x'));
  std::this_thread::sleep_for(milliseconds(100));
  second.Send(head + std::string(800, 'x'));
  const std::string refusal = second.Rest();
  EXPECT_EQ(Status(refusal), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(Has(refusal, "Retry-After: 1")) << refusal;
  first.Send(std::string(100, 'x'));
  auto exchange = service.Next();
  ASSERT_NE(exchange, nullptr);
  EXPECT_EQ(exchange->request.body.size(), 900U);
  exchange->Answer({.body = "first"});
  EXPECT_EQ(Body(first.Answer()), "first");
  TestClient third(server);  // what the others took has been given back
  third.Send(head + std::string(900, 'x'));
  service.Next()->Answer({.body = "third"});
  EXPECT_EQ(Body(third.Answer()), "third");
}

TEST(HttpService, DrainsWithoutLosingARequest) {
  PatientService service;
  std::optional<HttpServer> server(std::in_place, HttpOptions{}, service);
  TestClient busy(*server), idle(*server), late(*server), fresh(*server);
  const std::string host = HostLine(*server);
  idle.Send("GET / HTTP/1.1\r\n" + host + "\r\n");
  service.Next()->Answer({.body = "kept"});
  EXPECT_EQ(Body(idle.Answer()), "kept");
  busy.Send("GET /busy HTTP/1.1\r\n" + host + "\r\n");
  auto exchange = service.Next();
  late.Send("GET /late HTTP/1.1\r\n");
  std::this_thread::sleep_for(milliseconds(50));
  bool all = false;
  std::thread drain([&] { all = server->Drain(std::chrono::seconds(10)); });
  EXPECT_EQ(idle.Rest(), "") << "who asks nothing is let go at once";
  late.Send(host + "\r\n");
  auto last = service.Next();
  ASSERT_NE(last, nullptr);
  last->Answer({.body = "late"});
  fresh.Send("GET /fresh HTTP/1.1\r\n" + host + "\r\n");
  auto first = service.Next();
  ASSERT_NE(first, nullptr) << "who was let in may ask";
  first->Answer({.body = "fresh"});
  EXPECT_EQ(Body(fresh.Answer()), "fresh");
  exchange->Answer({.body = "busy"});
  EXPECT_TRUE(Has(late.Answer(), "Connection: close"));
  EXPECT_EQ(Body(busy.Answer()), "busy");
  for (TestClient* client : {&busy, &idle, &late, &fresh}) client->Close();
  drain.join();
  EXPECT_TRUE(all);
}

TEST(HttpService, IsThereAfterAllItsClientsHaveHungUp) {
  PatientService service;
  HttpOptions options;
  options.limits.connections = 1;
  HttpServer server(options, service);
  std::shared_ptr<HttpExchange> exchange;
  {
    TestClient client(server);
    client.Send("GET / HTTP/1.1\r\n" + HostLine(server) + "\r\n");
    exchange = service.Next();
    ASSERT_NE(exchange, nullptr);
  }
  ASSERT_TRUE(IsGoneSoon(*exchange));
  std::this_thread::sleep_for(milliseconds(50));  // nothing is under way on the server's thread now
  exchange->Answer({.body = "for nobody"});
  TestClient next(server);
  next.Send("GET / HTTP/1.1\r\n" + HostLine(server) + "\r\n");
  auto second = service.Next();
  ASSERT_NE(second, nullptr);
  second->Answer({.body = "here"});
  EXPECT_EQ(Body(next.Answer()), "here");
  next.Close();
  EXPECT_TRUE(server.Drain(std::chrono::seconds(5)));
}

TEST(HttpService, MayKeepAnExchangeBeyondTheServersEnd) {
  PatientService service;
  std::shared_ptr<HttpExchange> exchange;
  {
    const HttpServer server(HttpOptions{}, service);
    TestClient client(server);
    client.Send("GET / HTTP/1.1\r\n" + HostLine(server) + "\r\n");
    exchange = service.Next();
  }
  ASSERT_NE(exchange, nullptr);
  exchange->Answer({.body = "for nobody"});
}

TEST(HttpService, InvitesPagesOfOtherSites) {
  PatientService service;
  HttpOptions options;
  options.origins = {"https://shop.example"};
  const HttpServer server(options, service);
  TestClient client(server);
  const std::string asked =
      client.Ask("OPTIONS /x HTTP/1.1", "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n");
  EXPECT_EQ(Status(asked), "HTTP/1.1 204 No Content");
  EXPECT_TRUE(Has(asked, "Access-Control-Allow-Origin: https://shop.example")) << asked;
  client.Send("POST /x HTTP/1.1\r\n" + HostLine(server) + "Origin: https://shop.example\r\nContent-Length: 0\r\n\r\n");
  service.Next()->Answer({.body = "yes"});
  const std::string answer = client.Answer();
  EXPECT_EQ(Body(answer), "yes");
  EXPECT_TRUE(Has(answer, "Access-Control-Allow-Origin: https://shop.example")) << answer;
  EXPECT_TRUE(Has(answer, "Vary: Origin"));
  EXPECT_EQ(Status(client.Ask("POST /x HTTP/1.1", "Origin: https://evil.example\r\nContent-Length: 0\r\n")),
            "HTTP/1.1 403 Forbidden");
}

}  // namespace
}  // namespace spotter
