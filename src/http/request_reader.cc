// SPDX-License-Identifier: Apache-2.0
#include "http/request_reader.h"

#include <iterator>
#include <limits>

namespace spotter {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string ToString(beast::string_view view) { return {view.data(), view.size()}; }

}  // namespace

void RequestReader::Begin() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(longest_header_));
  parser_->body_limit(std::numeric_limits<uint64_t>::max());
  header_bytes_ = 0;
  in_body_ = false;
  if (buffer_.size() == 0 && buffer_.capacity() > kAtOnce) buffer_.shrink_to_fit();  // it may be long till it comes
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
  const auto fields = static_cast<size_t>(std::distance(parser_->get().begin(), parser_->get().end()));
  return all > longest_header_ || fields > kMostFields ? http::make_error_code(http::error::header_limit) : Code();
}

RequestReader::Code RequestReader::TakeBody(size_t bytes) {
  if (!in_body_) {
    in_body_ = true;
    parser_->body_limit(longest_body_);
    parser_->eager(true);  // as many chunks at once as have come
  }
  buffer_.commit(bytes);
  Code error;
  if (buffer_.size() > 0) buffer_.consume(parser_->put(buffer_.data(), error));
  if (error && error != http::error::need_more) return error;
  return !done() && buffer_.size() > kMostUnparsed ? http::make_error_code(http::error::buffer_overflow) : Code();
}

HttpRequest RequestReader::request() const {
  const auto& message = parser_->get();
  HttpRequest request;
  request.method = is_head() ? "GET" : ToString(message.method_string());
  request.target = ToString(message.target());
  const size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
  for (const auto& field : message)
    request.headers.emplace_back(ToString(field.name_string()), ToString(field.value()));
  request.length = length();
  return request;
}

std::optional<uint64_t> RequestReader::length() const {
  const auto length = parser_->content_length();
  return length ? std::optional<uint64_t>(*length) : std::nullopt;
}

}  // namespace spotter
