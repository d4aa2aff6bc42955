// SPDX-License-Identifier: Apache-2.0
// The images of a request, whatever form they came in, and the error that a bad one is.
#pragma once

#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace spotter::api {

/// What is wrong with a request: a status of HTTP, and one line for a person.
class Refusal : public std::runtime_error {
 public:
  Refusal(int status, const std::string& message) : std::runtime_error(message), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

/// An image as it came: the bytes of a JPEG, PNG or WebP file, or with a shape uint8 pixels (H, W, C).
struct GivenImage {
  std::string name = {};  // the file's, where the client told it
  std::string_view bytes;
  ImageShape shape = {};

  bool decoded() const { return shape.height > 0; }
};

struct GivenImages {
  std::vector<GivenImage> list;      // bytes lie in the request's body, or in
  std::deque<std::string> unpacked;  // what had to be decoded from base64
};

/// At most this many images a request: more would keep the others waiting.
inline constexpr size_t kMostImages = 256;

}  // namespace spotter::api
