// SPDX-License-Identifier: Apache-2.0
// Digests of bytes and files: MD5 where a publisher gives nothing better, XXH3 for what only we compare.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace spotter {

/// Lower-case hex MD5 of a file, read in pieces. Throws Error(kIo). Guards against damage, not against an attacker.
std::string FileMd5(const std::filesystem::path& path, const Progress& progress = {});

/// XXH3 (64 bit), fed in pieces; Hex() is the 16 digits of all that was fed so far. Not cryptographic.
class FastHash {
 public:
  FastHash();
  ~FastHash();
  FastHash(const FastHash&) = delete;
  FastHash& operator=(const FastHash&) = delete;
  void Add(std::string_view bytes);
  void AddNumber(int64_t number);
  void AddFile(const std::filesystem::path& path, const Progress& progress = {});  // its content; throws Error(kIo)
  std::string Hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spotter
