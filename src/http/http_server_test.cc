// SPDX-License-Identifier: Apache-2.0
// The server as clients of every kind meet it: browsers, curl, and those that send nonsense or nothing.
#include "http/http_server.h"

#include <curl/curl.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/error.h"
#include "http/test_client.h"
#include "support/test_support.h"

namespace spotter {
namespace {

using std::chrono::milliseconds;

/// Says what it was asked.
HttpResponse Echo(const HttpRequest& request) {
  return {.body = request.method + " " + request.path + " [" + request.query + "] " + request.body};
}

constexpr HttpLimits kImpatient = {.patience = milliseconds(300)};

TEST(HttpServer, Answers) {
  const HttpServer server("127.0.0.1", 0, Echo);
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()) + "/");
  const std::string answer = Get(server, "/a%20b/c?x=1&y=?");
  EXPECT_EQ(Status(answer), "HTTP/1.1 200 OK");
  EXPECT_EQ(Body(answer), "GET /a%20b/c [x=1&y=?] ");
  EXPECT_EQ(Body(TestClient(server).Ask("POST /p HTTP/1.1", "Content-Length: 5\r\n\r\nhello")), "POST /p [] hello");
}

TEST(HttpServer, SaysInEveryAnswerHowCarefulABrowserShouldBe) {
  const HttpServer server("127.0.0.1", 0, Echo);
  TestClient stranger(server);
  stranger.Send("nonsense\r\n\r\n");
  for (const std::string& answer :
       {Get(server), Get(server, "/", "Origin: http://evil.example\r\n"), stranger.Answer()}) {
    EXPECT_TRUE(Has(answer, "X-Content-Type-Options: nosniff")) << answer;
    EXPECT_TRUE(Has(answer, "Cache-Control: no-store")) << answer;
    EXPECT_TRUE(Has(answer, "Referrer-Policy: no-referrer")) << answer;
    EXPECT_TRUE(Has(answer, "Cross-Origin-Resource-Policy: same-origin")) << answer;
    EXPECT_NE(answer.find("Content-Security-Policy: default-src 'self'"), std::string::npos) << answer;
  }
}

TEST(HttpServer, GivesOutWhatTheHandlerSays) {
  const HttpServer server("127.0.0.1", 0, [](const HttpRequest&) {
    return HttpResponse{.status = 405,
                        .content_type = "application/json",
                        .body = "{}",
                        .headers = {{"Allow", "GET"}, {"Content-Security-Policy", "default-src 'none'"}}};
  });
  const std::string answer = Get(server);
  EXPECT_EQ(Status(answer), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_TRUE(Has(answer, "Content-Type: application/json"));
  EXPECT_TRUE(Has(answer, "Allow: GET"));
  EXPECT_TRUE(Has(answer, "Content-Security-Policy: default-src 'none'"));
  EXPECT_EQ(answer.find("'self'"), std::string::npos);
  EXPECT_EQ(Body(answer), "{}");
}

TEST(HttpServer, HeadIsTheHeaderOfGet) {
  const HttpServer server("127.0.0.1", 0, Echo);
  TestClient client(server);
  client.Send("HEAD /x HTTP/1.1\r\nHost: localhost:" + std::to_string(server.port()) + "\r\nConnection: close\r\n\r\n");
  const std::string answer = client.Rest();
  EXPECT_EQ(Status(answer), "HTTP/1.1 200 OK");
  EXPECT_TRUE(Has(answer, "Content-Length: " + std::to_string(std::string("GET /x [] ").size()))) << answer;
  EXPECT_EQ(Body(answer), "");
}

TEST(HttpServer, KeepsAConnectionUnlessToldNotTo) {
  const HttpServer server("127.0.0.1", 0, Echo);
  TestClient client(server);
  for (const char* path : {"/1", "/2", "/3"}) {
    EXPECT_EQ(Body(client.Ask("GET " + std::string(path) + " HTTP/1.1")), "GET " + std::string(path) + " [] ");
  }
  const std::string host = "Host: localhost:" + std::to_string(server.port()) + "\r\n";
  client.Send("GET /4 HTTP/1.1\r\n" + host + "\r\nGET /5 HTTP/1.1\r\n" + host + "\r\n");  // both at once
  EXPECT_EQ(Body(client.Answer()), "GET /4 [] ");
  EXPECT_EQ(Body(client.Answer()), "GET /5 [] ");
  EXPECT_EQ(Body(client.Ask("GET /6 HTTP/1.1", "Connection: close\r\n")), "GET /6 [] ");
  EXPECT_EQ(client.Rest(), "");
  TestClient old(server);
  EXPECT_EQ(Body(old.Ask("GET /7 HTTP/1.0")), "GET /7 [] ");
  EXPECT_EQ(old.Rest(), "");
}

TEST(HttpServer, IsUnderstoodByCurl) {
  const HttpServer server("127.0.0.1", 0, [](const HttpRequest& request) {
    return HttpResponse{.body = std::to_string(request.body.size()) + std::string(3'000'000, 'x')};
  });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  std::string body;
  const std::string sent(1'000'000, 'y');
  curl_easy_setopt(curl.get(), CURLOPT_URL, server.url().c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(sent.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, sent.data());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(
      curl.get(), CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t n, std::string* into) {
        into->append(data, size * n);
        return size * n;
      });
  ASSERT_EQ(curl_easy_perform(curl.get()), CURLE_OK);
  EXPECT_EQ(body.substr(0, 8), "1000000x");
  EXPECT_EQ(body.size(), 3'000'007u);
}

TEST(HttpServer, RefusesOtherNamesAndOtherSites) {
  std::atomic<int> asked = 0;
  const HttpServer server("127.0.0.1", 0, [&](const HttpRequest& request) {
    ++asked;
    return Echo(request);
  });
  const std::string port = std::to_string(server.port());
  const std::pair<std::string, const char*> cases[] = {
      {"Host: evil.example:" + port, "HTTP/1.1 421"},
      {"Host: localhost", "HTTP/1.1 421"},
      {"X: no host", "HTTP/1.1 421"},
      {"Host: localhost:" + port + "\r\nHost: evil.example", "HTTP/1.1 421"},
      {"Host: localhost:" + port + "\r\nOrigin: http://evil.example", "HTTP/1.1 403"},
      {"Host: localhost:" + port + "\r\nOrigin: null", "HTTP/1.1 403"}};
  for (const auto& [header, status] : cases) {
    TestClient client(server);
    client.Send("GET / HTTP/1.1\r\n" + header + "\r\n\r\n");
    EXPECT_EQ(client.Answer().substr(0, 12), status) << header;
  }
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(Status(Get(server, "/", "Origin: http://127.0.0.1:" + port + "\r\n")), "HTTP/1.1 200 OK");
}

TEST(HttpServer, RefusesWhatIsNoRequest) {
  const HttpServer server("127.0.0.1", 0, Echo);
  for (const char* text : {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
                           "GET / HTTP/1.1\r\nno colon\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
    TestClient client(server);
    client.Send(text);
    EXPECT_EQ(Status(client.Rest().substr(0, 100)).substr(9, 3), "400") << text;
  }
  EXPECT_EQ(Status(Get(server, "http://evil.example/")), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Status(Get(server)), "HTTP/1.1 200 OK");
}

TEST(HttpServer, RefusesWhatIsTooLong) {
  const HttpServer server("127.0.0.1", 0, Echo, {.patience = milliseconds(1000)});
  EXPECT_EQ(Status(Get(server, "/", "X: " + std::string(7000, 'x') + "\r\n")), "HTTP/1.1 200 OK");
  EXPECT_EQ(Status(Get(server, "/", "X: " + std::string(9000, 'x') + "\r\n")),
            "HTTP/1.1 431 Request Header Fields Too Large");
  // As clients do that look for an answer only when all is sent: it must not be lost with what nobody reads.
  TestClient client(server);
  const std::string body(4 << 20, 'x');
  EXPECT_TRUE(client.Send(fmt::format("POST / HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: {}\r\n\r\n{}",
                                      server.port(), body.size(), body)));
  EXPECT_EQ(Status(client.Rest()), "HTTP/1.1 413 Payload Too Large");

  const HttpServer strict("127.0.0.1", 0, Echo, {.header_bytes = 500, .body_bytes = 10});
  EXPECT_EQ(Status(Get(strict, "/" + std::string(600, 'x'))), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(Status(TestClient(strict).Ask("POST / HTTP/1.1", "Content-Length: 11\r\n")),
            "HTTP/1.1 413 Payload Too Large");
}

TEST(HttpServer, CutsOffTheSlowAndServesTheOthersMeanwhile) {
  const HttpServer server("127.0.0.1", 0, Echo, kImpatient);
  TestClient silent(server), slow(server);
  const double begin = Seconds();
  slow.Send("GET / HT");
  EXPECT_EQ(Status(Get(server)), "HTTP/1.1 200 OK");
  EXPECT_LT(Seconds() - begin, 0.25);
  for (int i = 0; i < 20; ++i) {  // a little now and then doesn't help
    std::this_thread::sleep_for(milliseconds(50));
    if (!slow.Send("x")) break;
  }
  EXPECT_EQ(slow.Rest(), "");
  EXPECT_EQ(silent.Rest(), "");
  EXPECT_LT(Seconds() - begin, 5);
}

TEST(HttpServer, CutsOffWhoDoesntTakeTheAnswer) {
  const HttpServer server(
      "127.0.0.1", 0, [](const HttpRequest&) { return HttpResponse{.body = std::string(64 << 20, 'x')}; },
      {.patience = milliseconds(300), .body_patience = milliseconds(300)});
  TestClient client(server);
  client.Send("GET / HTTP/1.1\r\nHost: localhost:" + std::to_string(server.port()) + "\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(1000));
  EXPECT_LT(client.Rest().size(), size_t{64} << 20);
}

TEST(HttpServer, GivesALongAnswerLonger) {
  const HttpServer server(
      "127.0.0.1", 0, [](const HttpRequest&) { return HttpResponse{.body = std::string(4 << 20, 'x')}; },
      {.patience = milliseconds(300), .body_pace = 1 << 20});
  TestClient client(server);
  client.Send("GET / HTTP/1.1\r\nHost: localhost:" + std::to_string(server.port()) + "\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(1000));
  EXPECT_EQ(Body(client.Answer()).size(), size_t{4} << 20);
}

// What a client does not take stays in the system's memory, which is not the program's to see.
TEST(HttpServer, AnswersThatAreNotTakenAreNotPiledUp) {
  std::atomic<int> answered = 0;
  const HttpServer server("127.0.0.1", 0, [&](const HttpRequest&) {
    ++answered;
    return HttpResponse{.body = std::string(10'000, 'x')};
  });
  const TestClient client(server);
  std::string requests;
  const std::string host = "localhost:" + std::to_string(server.port());
  for (int i = 0; i < 300; ++i) requests += "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
  client.Send(requests);
  for (int before = -1; before != answered;) {
    before = answered;
    std::this_thread::sleep_for(milliseconds(200));
  }
  EXPECT_GT(answered, 0);
  EXPECT_LT(answered, 100) << "1 MB";
}

TEST(HttpServer, SaysThatThePortIsTaken) {
  const HttpServer first("127.0.0.1", 0, Echo);
  try {
    HttpServer("127.0.0.1", first.port(), Echo);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("port " + std::to_string(first.port())), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("another port"), std::string::npos) << error.what();
  }
  EXPECT_THROW(HttpServer("example.org", 0, Echo), Error);
  EXPECT_THROW(HttpServer("127.0.0.1", 65536, Echo), Error);
  EXPECT_THROW(HttpServer("127.0.0.1", -1, Echo), Error);
  EXPECT_THROW(HttpServer("192.0.2.1", 0, Echo), Error);  // an address for documentation, nobody's
}

TEST(HttpServer, GivesThePortBackEvenWhenClientsWereConnected) {
  int port = 0;
  {
    const HttpServer server("127.0.0.1", 0, Echo);
    port = server.port();
    Get(server);
  }
  EXPECT_EQ(HttpServer("127.0.0.1", port, Echo).port(), port);
}

TEST(HttpServer, TwoDontMindEachOther) {
  const HttpServer one("127.0.0.1", 0, [](const HttpRequest&) { return HttpResponse{.body = "one"}; });
  const HttpServer two("127.0.0.1", 0, [](const HttpRequest&) { return HttpResponse{.body = "two"}; });
  EXPECT_NE(one.port(), two.port());
  EXPECT_EQ(Body(Get(one)), "one");
  EXPECT_EQ(Body(Get(two)), "two");
}

TEST(HttpServer, EndsAtOnceWithConnectionsOpen) {
  std::optional<HttpServer> server(std::in_place, "127.0.0.1", 0, Echo);
  TestClient idle(*server), halfway(*server), kept(*server);
  halfway.Send("POST / HTTP/1.1\r\nContent-Le");
  kept.Ask("GET / HTTP/1.1");
  const double begin = Seconds();
  server.reset();
  EXPECT_LT(Seconds() - begin, 1);
  EXPECT_EQ(idle.Rest() + halfway.Rest() + kept.Rest(), "");
}

TEST(HttpServer, ServesFiftyAtOnce) {
  const HttpServer server("127.0.0.1", 0, Echo);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 50; ++i) {
    threads.emplace_back([&, i] {
      TestClient client(server);
      for (int j = 0; j < 20; ++j) {
        const std::string path = fmt::format("/{}/{}", i, j);
        right += Body(client.Ask("GET " + path + " HTTP/1.1")) == "GET " + path + " [] ";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 50 * 20);
}

TEST(HttpServer, LetsWhoIsTooManyWaitForAFreePlace) {
  const HttpServer server("127.0.0.1", 0, Echo, {.connections = 2, .patience = milliseconds(300)});
  TestClient first(server), second(server);
  EXPECT_NE(first.Ask("GET / HTTP/1.1") + second.Ask("GET / HTTP/1.1"), "");
  const double begin = Seconds();
  EXPECT_EQ(Status(Get(server)), "HTTP/1.1 200 OK");
  EXPECT_GT(Seconds() - begin, 0.1);
}

TEST(HttpServer, OutlivesAHandlerThatThrows) {
  const HttpServer server("127.0.0.1", 0, [](const HttpRequest& request) -> HttpResponse {
    if (request.path == "/error") Fail(ExitCode::kIo, "can't read\n'x'");
    if (request.path == "/number") throw 5;
    if (request.path == "/status") return {.status = 12345};
    return {.body = "well"};
  });
  TestClient client(server);
  const std::string answer = client.Ask("GET /error HTTP/1.1");
  EXPECT_EQ(Status(answer), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(Body(answer), "{\"error\":\"can't read?'x'\"}\n");
  EXPECT_EQ(Status(client.Ask("GET /number HTTP/1.1")), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(Status(client.Ask("GET /status HTTP/1.1")), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(Body(client.Ask("GET / HTTP/1.1")), "well");
}

TEST(HttpServer, SurvivesClientsThatHangUp) {
  const HttpServer server("127.0.0.1", 0, [](const HttpRequest&) {
    std::this_thread::sleep_for(milliseconds(20));
    return HttpResponse{.body = std::string(8 << 20, 'x')};
  });
  for (int i = 0; i < 10; ++i) {
    TestClient(server).Send("GET / HTTP/1.1\r\nHost: localhost:" + std::to_string(server.port()) + "\r\n\r\n");
  }
  EXPECT_EQ(Body(Get(server)).size(), size_t{8} << 20);
}

// Else Ctrl-C could end in the server's thread, and the program's main loop would not be woken.
TEST(HttpServer, LeavesSignalsToTheOtherThreads) {
  const HttpServer server("127.0.0.1", 0, [](const HttpRequest&) {
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return HttpResponse{.body = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM) ? "blocked" : "open"};
  });
  EXPECT_EQ(Body(Get(server)), "blocked");
  sigset_t own;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_FALSE(sigismember(&own, SIGINT));
}

}  // namespace
}  // namespace spotter
