// SPDX-License-Identifier: Apache-2.0
// Bytes to requests: they go in as they come, and are taken apart by Boost.Beast's parser.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "http/http_message.h"

namespace spotter {

/// One request after another of a connection. Beast's own limit of a header counts only what it has not parsed yet, so
/// that lines without end pass it, and a chunk's extension and a trailer it doesn't count at all. Here a header is
/// limited as a whole, and what can't be parsed behind it, to kMostUnparsed bytes and one read.
class RequestReader {
 public:
  using Code = boost::system::error_code;
  static constexpr size_t kAtOnce = 2048;       // a header and a small image come with one read
  static constexpr size_t kBodyAtOnce = 16384;  // of a body that did not
  static constexpr size_t kMostUnparsed = 16384;
  static constexpr size_t kMostFields = 100;  // of a header: each takes far more memory than its bytes

  /// In bytes; a body's is that of one that comes in chunks: whoever reads on has looked at a length that is told.
  RequestReader(size_t longest_header, uint64_t longest_body)
      : longest_header_(longest_header), longest_body_(longest_body) {}

  /// The next request. Some of it may have come already: TakeHeader(0) looks.
  void Begin();

  /// Where the next bytes go to; the call after it says how many have come.
  boost::asio::mutable_buffer Room() { return buffer_.prepare(in_body_ ? kBodyAtOnce : kAtOnce); }

  /// So many bytes have come, of the header, or of the body once that is done. The error is one of Boost.Beast's when
  /// they are no request's or beyond a limit; else it is none, whether more must come or not.
  Code TakeHeader(size_t bytes);
  Code TakeBody(size_t bytes);

  bool begun() const { return header_bytes_ > 0 || buffer_.size() > 0; }
  bool header_done() const { return parser_->is_header_done(); }
  bool done() const { return parser_->is_done(); }

  /// Of a header that is done:
  HttpRequest request() const;  // without its body
  bool is_head() const { return parser_->get().method() == boost::beast::http::verb::head; }
  /// HTTP/1.0 has its own way to say so, which is not spoken here.
  bool keep_alive() const { return parser_->get().version() >= 11 && parser_->keep_alive(); }
  bool has_body() const { return length() && buffer_.size() >= *length(); }  // all of it came with the header

  /// As much of it as has been taken.
  std::string& body() { return parser_->get().body(); }

  /// Where bytes go to that nobody wants.
  boost::asio::mutable_buffer Waste() {
    buffer_.clear();
    return buffer_.prepare(kBodyAtOnce);
  }

 private:
  std::optional<uint64_t> length() const;

  const size_t longest_header_;
  const uint64_t longest_body_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;  // one a request
  size_t header_bytes_ = 0;                                                                    // parsed
  bool in_body_ = false;
};

}  // namespace spotter
