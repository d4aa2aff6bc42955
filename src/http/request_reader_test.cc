// SPDX-License-Identifier: Apache-2.0
#include "http/request_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace spotter {
namespace {

namespace http = boost::beast::http;
using Code = RequestReader::Code;

constexpr size_t kHeader = 500;
constexpr uint64_t kBody = 100;

/// Bytes that come `at_once` at a time, until a request is done or refused: what is left of them is the rest.
Code Feed(RequestReader& reader, std::string_view& bytes, size_t at_once) {
  Code error = reader.TakeHeader(0);
  while (!error && !reader.done()) {
    const bool in_body = reader.header_done();
    if (in_body) error = reader.TakeBody(0);
    if (error || reader.done() || bytes.empty()) break;
    const auto room = reader.Room();
    const size_t count = std::min({at_once, room.size(), bytes.size()});
    std::memcpy(room.data(), bytes.data(), count);
    bytes.remove_prefix(count);
    error = in_body ? reader.TakeBody(count) : reader.TakeHeader(count);
  }
  return error;
}

TEST(RequestReader, UnderstandsRequestsHoweverTheyComeInPieces) {
  const std::string post = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  const std::string chunked =
      "POST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n";
  const std::string get = "GET /e HTTP/1.1\r\nX: y\r\n\r\n";
  const std::string all = post + chunked + get;
  for (const size_t at_once : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{50}, all.size()}) {
    RequestReader reader(kHeader, kBody);
    std::string_view bytes = all;
    for (const auto& [target, body] : {std::pair("/a?b=c", "hello"), {"/d", "abcde"}, {"/e", ""}}) {
      reader.Begin();
      EXPECT_EQ(Feed(reader, bytes, at_once), Code()) << at_once;
      ASSERT_TRUE(reader.done()) << target << " in pieces of " << at_once;
      EXPECT_EQ(reader.request().target, target);
      EXPECT_EQ(reader.body(), body);
    }
    EXPECT_TRUE(bytes.empty());
    reader.Begin();
    EXPECT_FALSE(reader.begun());
  }
}

size_t Put(RequestReader& reader, std::string_view bytes) {
  std::memcpy(reader.Room().data(), bytes.data(), bytes.size());
  return bytes.size();
}

TEST(RequestReader, KnowsThatABodyCameWithItsHeader) {
  RequestReader whole(kHeader, kBody);
  whole.Begin();
  const std::string two = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET /next HTTP/1.1\r\n\r\n";
  EXPECT_EQ(whole.TakeHeader(Put(whole, two)), Code());
  EXPECT_TRUE(whole.has_body());
  EXPECT_EQ(whole.TakeBody(0), Code());
  EXPECT_TRUE(whole.done());
  EXPECT_EQ(whole.body(), "hello");
  whole.Begin();
  EXPECT_EQ(whole.TakeHeader(0), Code());
  EXPECT_EQ(whole.request().path, "/next");

  RequestReader reader(kHeader, kBody);
  reader.Begin();
  EXPECT_FALSE(reader.begun());
  const std::string_view request = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
  EXPECT_EQ(reader.TakeHeader(Put(reader, request.substr(0, request.size() - 1))), Code());
  EXPECT_TRUE(reader.begun());
  EXPECT_TRUE(reader.header_done());
  EXPECT_EQ(reader.request().length, 5);
  EXPECT_FALSE(reader.has_body());
  EXPECT_EQ(reader.TakeBody(Put(reader, "o")), Code());
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.body(), "hello");
}

/// How many bytes of an endless piece are taken before the error.
size_t TakenBefore(Code expected, const std::string& begin, const std::string& piece) {
  RequestReader reader(kHeader, kBody);
  reader.Begin();
  std::string_view head = begin;
  EXPECT_EQ(Feed(reader, head, begin.size()), Code());
  size_t taken = 0;
  for (Code error; !error && taken < 1 << 20; taken += piece.size()) {
    std::string_view bytes = piece;
    error = Feed(reader, bytes, piece.size());
    if (error) EXPECT_EQ(error, expected) << error.message();
  }
  return taken;
}

TEST(RequestReader, BoundsWhatHasNoEnd) {
  const Code header = http::make_error_code(http::error::header_limit);
  const Code overflow = http::make_error_code(http::error::buffer_overflow);
  const std::string get = "GET / HTTP/1.1\r\n";
  for (const std::string piece : {"X: y\r\n", "y", "X: y\r\nX"}) {  // lines are parsed where they end
    EXPECT_LE(TakenBefore(header, get, piece), kHeader + 2 * piece.size()) << piece;
  }
  EXPECT_LE(TakenBefore(header, "", "GET"), kHeader + 6);
  const std::string chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const size_t most = RequestReader::kMostUnparsed + RequestReader::kBodyAtOnce;
  EXPECT_LE(TakenBefore(overflow, chunked + "3\r\nabc\r\n0\r\n", "X: y\r\n"), most);
  EXPECT_LE(TakenBefore(overflow, chunked + "3;", "yy"), most);
  EXPECT_LE(TakenBefore(http::make_error_code(http::error::body_limit), chunked, "3\r\nabc\r\n"), 5 * kBody);
}

TEST(RequestReader, TakesWhatIsJustWithinItsLimits) {
  const std::string begin = "GET / HTTP/1.1\r\nX: ", end = "\r\n\r\n";
  for (const size_t more : {0, 1}) {
    RequestReader reader(kHeader, kBody);
    reader.Begin();
    const std::string header = begin + std::string(kHeader - begin.size() - end.size() + more, 'x') + end;
    EXPECT_EQ(reader.TakeHeader(Put(reader, header)) == Code(), more == 0);
  }
  for (const size_t fields : {RequestReader::kMostFields, RequestReader::kMostFields + 1}) {
    RequestReader reader(8192, kBody);
    reader.Begin();
    std::string header = "GET / HTTP/1.1\r\n";
    for (size_t i = 0; i < fields; ++i) header += "a: b\r\n";
    EXPECT_EQ(reader.TakeHeader(Put(reader, header + "\r\n")) == Code(), fields == RequestReader::kMostFields);
  }
  RequestReader reader(kHeader, kBody);
  reader.Begin();
  std::string_view bytes = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Feed(reader, bytes, bytes.size()), Code());
  const std::string extension = "3;a=" + std::string(RequestReader::kMostUnparsed - 20, 'b') + "\r\nabc\r\n0\r\n\r\n";
  bytes = extension;
  EXPECT_EQ(Feed(reader, bytes, 1000), Code());
  EXPECT_EQ(reader.body(), "abc");
}

TEST(RequestReader, TakesHttp10ForOneRequest) {
  for (const auto& [version, keep] : {std::pair("1.0", false), {"1.1", true}}) {
    RequestReader reader(kHeader, kBody);
    reader.Begin();
    const std::string request = fmt::format("GET / HTTP/{}\r\nConnection: keep-alive\r\n\r\n", version);
    EXPECT_EQ(reader.TakeHeader(Put(reader, request)), Code());
    EXPECT_EQ(reader.keep_alive(), keep) << version;
  }
}

}  // namespace
}  // namespace spotter
