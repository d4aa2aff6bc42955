// SPDX-License-Identifier: Apache-2.0
// A client for tests, and how its answers are taken apart.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include "base/text.h"
#include "http/http_server.h"
#include "support/test_support.h"

namespace spotter {

inline double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A connection that sends what a test wants, right or wrong.
class TestClient {
 public:
  explicit TestClient(const HttpServer& server) : port_(server.port()), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port_));
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool Send(const std::string& text) const {
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  void Close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// What comes until the server hangs up.
  std::string Rest() {
    while (Receive()) continue;
    return std::exchange(received_, "");
  }
  /// One answer: its header, and as much body as that says.
  std::string Answer() {
    size_t header = 0;
    while ((header = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!Receive()) return std::exchange(received_, "");
    }
    const std::string length = "Content-Length: ";
    const size_t at = received_.find(length);
    const size_t size = header + 4 + (at < header ? std::stoul(received_.substr(at + length.size())) : 0);
    while (received_.size() < size && Receive()) continue;
    const std::string answer = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
  }
  std::string Ask(const std::string& first_line, const std::string& headers = "") {
    Send(first_line + "\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n" + headers + "\r\n");
    return Answer();
  }

 private:
  bool Receive() {
    char piece[65536];
    const ssize_t n = ::recv(socket_, piece, sizeof piece, 0);
    if (n > 0) received_.append(piece, static_cast<size_t>(n));
    return n > 0;
  }

  int port_;
  int socket_;
  std::string received_;
};

inline std::string Get(const HttpServer& server, const std::string& target = "/", const std::string& headers = "") {
  return TestClient(server).Ask("GET " + target + " HTTP/1.1", headers);
}

inline std::string Status(const std::string& answer) { return answer.substr(0, answer.find('\r')); }
inline std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
inline bool Has(const std::string& answer, const std::string& header) {
  return Lowercase(answer).find("\r\n" + Lowercase(header) + "\r\n") != std::string::npos;
}

}  // namespace spotter
