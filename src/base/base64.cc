// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace spotter {

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string digits;
  digits.reserve(text.size() + 3);
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != '\r' && c != '\n'; });
  while (!digits.empty() && digits.back() == '=' && digits.size() % 4 != 1) digits.pop_back();
  const bool known = std::all_of(digits.begin(), digits.end(), [](unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
  if (!known || digits.size() % 4 == 1 || digits.size() > (size_t{1} << 30)) return {};
  const size_t missing = (4 - digits.size() % 4) % 4;
  digits.append(missing, 'A');
  std::string bytes(digits.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(digits.data()),
                  static_cast<int>(digits.size()));
  bytes.resize(bytes.size() - missing);
  return bytes;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace spotter
