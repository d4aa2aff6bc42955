// SPDX-License-Identifier: Apache-2.0
// Downloads from a small server in the test: resumed, verified, and given up with a reason; never a wrong
// file in place.
#include "data/download.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "data/test_files.h"

namespace spotter {
namespace {

namespace fs = std::filesystem;

constexpr const char* kContent = "The quick brown fox jumps over the lazy dog";
constexpr const char* kMd5 = "9e107d9d372bb6826bd81d3542a419d6";  // the well-known MD5 of that sentence

/// In place of an answer: silence until the client hangs up.
constexpr const char* kWaitForTheEnd = "wait";

/// Answers each request with what `answer` makes of its text, then closes the connection.
class LocalServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;
  explicit LocalServer(Answer answer) : answer_(std::move(answer)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~LocalServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  std::string url(const std::string& path = "/file") const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Serve() {
    for (int client; (client = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(client)) {
      std::string request;
      char piece[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(client, piece, sizeof piece, 0);
        if (n <= 0) break;
        request.append(piece, static_cast<size_t>(n));
      }
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const std::string reply = answer_(request);
      if (reply == kWaitForTheEnd) {
        while (::recv(client, piece, sizeof piece, 0) > 0) continue;
      } else {
        ::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
      }
    }
  }

  Answer answer_;
  int socket_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::string Whole(const std::string& body, const std::string& status = "200 OK") {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status, body.size(), body);
}

/// As a good server: a range where one is asked for.
std::string WithRanges(const std::string& request) {
  const std::string content = kContent;
  const size_t at = request.find("Range: bytes=");
  if (at == std::string::npos) return Whole(content);
  const size_t begin = std::stoul(request.substr(at + 13));
  if (begin >= content.size()) return Whole("", "416 Range Not Satisfiable");
  const std::string rest = content.substr(begin);
  return fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {}-{}/{}\r\n\r\n{}",
                     rest.size(), begin, content.size() - 1, content.size(), rest);
}

class Fetch : public testing::Test {
 protected:
  fs::path folder() const { return folder_.path() / "datasets"; }
  fs::path file() const { return folder() / "fox.txt"; }
  fs::path part() const { return folder() / "fox.txt.part"; }
  Download Of(std::vector<std::string> mirrors) const { return {"fox.txt", 43, kMd5, std::move(mirrors)}; }
  fs::path Get(const Download& download) const {
    return FetchFile(download, folder(), {}, {.connect_seconds = 2, .stall_seconds = 1});
  }
  std::string GetError(const Download& download) const {
    return ErrorOf(ExitCode::kIo, [&] { Get(download); });
  }

  const TemporaryFolder folder_;
  const ScopedEnvironment no_proxy_{"no_proxy", "*"};
};

TEST_F(Fetch, DownloadsAndReportsProgress) {
  LocalServer server(WithRanges);
  int64_t last = -1;
  FetchFile(Of({server.url()}), folder(), [&](const std::string& what, int64_t done, int64_t total) {
    EXPECT_CONTAINS(what, "fox.txt");
    EXPECT_EQ(total, 43);
    last = done;
  });
  EXPECT_EQ(ReadText(file()), kContent);
  EXPECT_EQ(last, 43);
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(Fetch, KeepsAGoodFileWithoutAsking) {
  WriteText(file(), kContent);
  EXPECT_EQ(Get(Of({})), file());
}

TEST_F(Fetch, NamesAFileWithAWrongChecksumAndLeavesItAlone) {
  const std::string other = "The quick brown cat jumps over the lazy dog";
  WriteText(file(), other);
  EXPECT_CONTAINS(GetError(Of({})), "fox.txt' is not the file that is wanted: its MD5");
  EXPECT_EQ(ReadText(file()), other);
  WriteText(file(), "short");
  EXPECT_CONTAINS(GetError(Of({})), "its size is 5 bytes, not 43");
}

TEST_F(Fetch, ResumesWhereItStopped) {
  LocalServer server(WithRanges);
  WriteText(part(), std::string(kContent).substr(0, 20));
  Get(Of({server.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_CONTAINS(server.requests()[0], "Range: bytes=20-");
}

TEST_F(Fetch, TakesTheWholeFileFromAServerWithoutRanges) {
  LocalServer server([](const std::string&) { return Whole(kContent); });
  WriteText(part(), std::string(kContent).substr(0, 20));
  Get(Of({server.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
}

TEST_F(Fetch, StartsAgainWhenWhatWasThereIsWrong) {
  LocalServer server(WithRanges);
  WriteText(part(), "something else entirely");
  Get(Of({server.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(Fetch, StartsAgainWhenWhatWasThereIsTooLongOrWhole) {
  LocalServer server(WithRanges);
  WriteText(part(), std::string(100, 'x'));
  Get(Of({server.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
  fs::remove(file());
  WriteText(part(), kContent);
  Get(Of({server.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
  EXPECT_EQ(server.requests().size(), 1u);  // a whole part file needs no request
}

TEST_F(Fetch, KeepsItsPartFromAnAnswerOfAnotherSize) {
  LocalServer login([](const std::string&) { return Whole("<html>Please log in</html>"); });
  LocalServer good(WithRanges);
  WriteText(part(), std::string(kContent).substr(0, 20));
  EXPECT_CONTAINS(GetError(Of({login.url()})), "its size is 26 bytes, not 43");
  EXPECT_EQ(ReadText(part()), std::string(kContent).substr(0, 20));
  Get(Of({login.url(), good.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
  EXPECT_CONTAINS(good.requests().at(0), "Range: bytes=20-");
}

TEST_F(Fetch, RefusesAnotherRangeThanItAskedFor) {
  LocalServer wrong([](const std::string&) {
    return std::string("HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\nContent-Range: bytes 0-2/43\r\n\r\nThe");
  });
  WriteText(part(), std::string(kContent).substr(0, 40));
  EXPECT_CONTAINS(GetError(Of({wrong.url()})), "another range");
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(Fetch, TriesTheNextMirrorAfterEveryKindOfFailure) {
  LocalServer wrong_bytes([](const std::string&) { return Whole("The quick brown cat jumps over the lazy dog"); });
  LocalServer too_long(  // without saying so first
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(100, 'x'); });
  LocalServer too_short([](const std::string&) { return Whole("The quick"); });
  LocalServer missing([](const std::string&) { return Whole("gone", "404 Not Found"); });
  LocalServer broken([](const std::string&) { return Whole("", "500 Internal Server Error"); });
  LocalServer silent([](const std::string&) { return std::string(); });
  LocalServer good(WithRanges);
  const std::vector<std::string> bad = {wrong_bytes.url(), too_long.url(), too_short.url(),          missing.url(),
                                        broken.url(),      silent.url(),   "http://127.0.0.1:1/none"};
  const std::string error = GetError(Of(bad));
  for (const std::string& url : bad) EXPECT_CONTAINS(error, url);
  for (const char* reason :
       {"its MD5 is", "more than 43 bytes", "its size is 9 bytes", "404", "500", "Empty reply", "connect"}) {
    EXPECT_CONTAINS(error, reason);
  }
  EXPECT_CONTAINS(error, file().string());
  EXPECT_FALSE(fs::exists(file()));

  std::vector<std::string> all = bad;
  all.push_back(good.url());
  Get(Of(all));
  EXPECT_EQ(ReadText(file()), kContent);
}

TEST_F(Fetch, KeepsWhatABrokenConnectionLeftForTheNextMirror) {
  LocalServer cut(
      [](const std::string&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\nThe quick brown"); });
  LocalServer good(WithRanges);
  Get(Of({cut.url(), good.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
  EXPECT_CONTAINS(good.requests().at(0), "Range: bytes=15-");
}

TEST_F(Fetch, GivesUpAMirrorThatStalls) {
  LocalServer stalls([](const std::string&) { return kWaitForTheEnd; });
  EXPECT_CONTAINS(GetError(Of({stalls.url()})), "too slow");
}

TEST_F(Fetch, FollowsRedirectsOnlyToTheWebAndNotForEver) {
  // Without "close" curl would ask again on the connection that the server is about to close: a race.
  const auto redirect = [](const std::string& to) {
    return fmt::format("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", to);
  };
  LocalServer to_file([&](const std::string&) { return redirect("file:///etc/passwd"); });
  EXPECT_CONTAINS(GetError(Of({to_file.url()})), "rotocol");
  LocalServer loop([&](const std::string&) { return redirect("/again"); });
  EXPECT_CONTAINS(GetError(Of({loop.url()})), "redirects");
  EXPECT_EQ(loop.requests().size(), 6u);
  LocalServer good(WithRanges);
  LocalServer to_good([&](const std::string&) { return redirect(good.url()); });
  Get(Of({to_good.url()}));
  EXPECT_EQ(ReadText(file()), kContent);
  EXPECT_CONTAINS(GetError({"other", 0, kMd5, {"file:///etc/passwd"}}), "rotocol");
}

}  // namespace
}  // namespace spotter
