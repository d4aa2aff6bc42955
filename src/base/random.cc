// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <numeric>
#include <utility>

namespace spotter {

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return c;
}

std::array<uint32_t, 4> RandomWords(uint64_t seed, Stream stream, uint32_t round, uint64_t index) {
  return Philox(
      {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), round, static_cast<uint32_t>(stream)},
      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

std::vector<int64_t> Permutation(uint64_t seed, Stream stream, uint32_t round, int64_t n) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i) {
    const auto words = RandomWords(seed, stream, round, static_cast<uint64_t>(i));
    std::swap(order[i], order[BoundedInt(words[0], static_cast<uint32_t>(i + 1))]);
  }
  return order;
}

}  // namespace spotter
