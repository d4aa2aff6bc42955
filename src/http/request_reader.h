// SPDX-License-Identifier: Apache-2.0
// Bytes to requests: they go in as they come, and are taken apart by Boost.Beast's parser.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace spotter {

using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;

/// One request after another of a connection. What can't be parsed yet never takes more memory than a header may, or
/// kMost bytes behind it: the parser's own limit counts only what it has not parsed yet, so that lines without end
/// would pass it, and those of chunks and trailers it does not count at all.
class RequestReader {
 public:
  using Code = boost::system::error_code;
  static constexpr size_t kAtOnce = 2048;       // a header and a small image come with one read
  static constexpr size_t kBodyAtOnce = 16384;  // of a body that did not
  static constexpr size_t kMost = 16384;

  /// The next request, whose header may take so many bytes. Some of it may have come already: TakeHeader(0) looks.
  void Begin(size_t longest_header);

  /// Where the next bytes go to; the call after it says how many have come.
  boost::asio::mutable_buffer Room() { return buffer_.prepare(in_body_ ? kBodyAtOnce : kAtOnce); }

  /// So many bytes have come. The error is one of Boost.Beast's when they are no request's or beyond a limit; else it
  /// is none, whether more must come or not.
  Code TakeHeader(size_t bytes);
  Code TakeBody(size_t bytes, uint64_t longest);

  bool begun() const { return header_bytes_ > 0 || buffer_.size() > 0; }
  bool header_done() const { return parser_->is_header_done(); }
  bool done() const { return parser_->is_done(); }
  /// Of a header that is done:
  const BeastRequest& message() const { return parser_->get(); }
  std::optional<uint64_t> length() const;                                    // of the body, where it was told
  bool has_body() const { return length() && buffer_.size() >= *length(); }  // all of it came with the header
  std::string& body() { return parser_->get().body(); }

  /// Where bytes go to that nobody wants.
  boost::asio::mutable_buffer Waste() {
    buffer_.clear();
    return buffer_.prepare(kAtOnce);
  }

 private:
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;  // one a request
  size_t longest_header_ = 0;
  size_t header_bytes_ = 0;  // parsed
  bool in_body_ = false;
};

}  // namespace spotter
