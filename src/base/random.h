// SPDX-License-Identifier: Apache-2.0
// Random numbers as a pure function of (seed, stream, counter): nothing to save, nothing that threads can disturb.
//
// Philox-4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Known-answer tests beside
// it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace spotter {

/// One Philox block: four 32-bit words, uniform and independent for different (counter, key).
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// What a random number is for; each purpose draws from a stream of its own, so that adding one never shifts another.
enum class Stream : uint32_t { kSplit = 1, kOrder = 2, kAugment = 3, kInit = 4, kDropout = 5, kBench = 6, kFlip = 7, kJitter = 8, kCutout = 9 };

/// The four words for item `index` of round `round` (an epoch, a step, a parameter) of a stream.
std::array<uint32_t, 4> RandomWords(uint64_t seed, Stream stream, uint32_t round, uint64_t index);

/// A word as a float, uniform in [0, 1).
inline float UnitFloat(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// A word as an integer, uniform in [0, n). n >= 1. (Multiply-shift; bias below n / 2^32.)
inline uint32_t BoundedInt(uint32_t word, uint32_t n) {
  return static_cast<uint32_t>((static_cast<uint64_t>(word) * n) >> 32);
}

/// A permutation of 0..n-1 (Fisher-Yates over the stream's words), a pure function of its arguments.
std::vector<int64_t> Permutation(uint64_t seed, Stream stream, uint32_t round, int64_t n);

}  // namespace spotter
