// SPDX-License-Identifier: Apache-2.0
#include "http/request_reader.h"

#include <limits>

namespace spotter {

namespace http = boost::beast::http;

void RequestReader::Begin(size_t longest_header) {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(longest_header));
  parser_->body_limit(std::numeric_limits<uint64_t>::max());  // of a length that is told: whoever reads on has looked
  longest_header_ = longest_header;
  header_bytes_ = 0;
  in_body_ = false;
  if (buffer_.size() == 0 && buffer_.capacity() > kAtOnce) buffer_.shrink_to_fit();  // it may be long till the next
}

RequestReader::Code RequestReader::TakeHeader(size_t bytes) {
  buffer_.commit(bytes);
  Code error;
  if (buffer_.size() > 0) {
    const size_t parsed = parser_->put(buffer_.data(), error);
    buffer_.consume(parsed);
    header_bytes_ += parsed;
  }
  if (error && error != http::error::need_more) return error;
  const size_t all = header_bytes_ + (header_done() ? 0 : buffer_.size());
  return all > longest_header_ ? http::make_error_code(http::error::header_limit) : Code();
}

RequestReader::Code RequestReader::TakeBody(size_t bytes, uint64_t longest) {
  if (!in_body_) parser_->body_limit(longest);
  in_body_ = true;
  parser_->eager(true);  // as many chunks at once as have come
  buffer_.commit(bytes);
  Code error;
  if (buffer_.size() > 0) buffer_.consume(parser_->put(buffer_.data(), error));
  if (error && error != http::error::need_more) return error;
  return !done() && buffer_.size() > kMost ? http::make_error_code(http::error::buffer_overflow) : Code();
}

std::optional<uint64_t> RequestReader::length() const {
  const auto length = parser_->content_length();
  return length ? std::optional<uint64_t>(*length) : std::nullopt;
}

}  // namespace spotter
