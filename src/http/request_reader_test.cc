// SPDX-License-Identifier: Apache-2.0
#include "http/request_reader.h"

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
    if (in_body) error = reader.TakeBody(0, kBody);
    if (error || reader.done() || bytes.empty()) break;
    const auto room = reader.Room();
    const size_t count = std::min({at_once, room.size(), bytes.size()});
    std::memcpy(room.data(), bytes.data(), count);
    bytes.remove_prefix(count);
    error = in_body ? reader.TakeBody(count, kBody) : reader.TakeHeader(count);
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
    RequestReader reader;
    std::string_view bytes = all;
    for (const auto& [target, body] : {std::pair("/a?b=c", "hello"), {"/d", "abcde"}, {"/e", ""}}) {
      reader.Begin(kHeader);
      EXPECT_EQ(Feed(reader, bytes, at_once), Code()) << at_once;
      ASSERT_TRUE(reader.done()) << target << " in pieces of " << at_once;
      EXPECT_EQ(reader.message().target(), target);
      EXPECT_EQ(reader.body(), body);
    }
    EXPECT_TRUE(bytes.empty());
    reader.Begin(kHeader);
    EXPECT_FALSE(reader.begun());
  }
}

TEST(RequestReader, KnowsThatABodyCameWithItsHeader) {
  RequestReader reader;
  reader.Begin(kHeader);
  EXPECT_FALSE(reader.begun());
  const std::string_view request = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
  std::memcpy(reader.Room().data(), request.data(), request.size());
  EXPECT_EQ(reader.TakeHeader(request.size() - 1), Code());
  EXPECT_TRUE(reader.begun());
  EXPECT_TRUE(reader.header_done());
  EXPECT_EQ(reader.length(), 5);
  EXPECT_FALSE(reader.has_body());
  std::memcpy(reader.Room().data(), "o", 1);
  EXPECT_EQ(reader.TakeBody(1, kBody), Code());
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.body(), "hello");
}

/// How many bytes of an endless piece are taken before the error.
size_t TakenBefore(Code expected, const std::string& begin, const std::string& piece) {
  RequestReader reader;
  reader.Begin(kHeader);
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
  const size_t most = RequestReader::kMost + RequestReader::kBodyAtOnce;
  EXPECT_LE(TakenBefore(overflow, chunked + "3\r\nabc\r\n0\r\n", "X: y\r\n"), most);
  EXPECT_LE(TakenBefore(overflow, chunked + "3;", "yy"), most);
  EXPECT_LE(TakenBefore(http::make_error_code(http::error::body_limit), chunked, "3\r\nabc\r\n"), 5 * kBody);
}

}  // namespace
}  // namespace spotter
