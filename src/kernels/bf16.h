// SPDX-License-Identifier: Apache-2.0
// bfloat16: the upper half of an IEEE float, as its 16 bits.
#pragma once

#include <bit>
#include <cstdint>

namespace spotter::kernels {

using bf16 = uint16_t;

inline float ToFloat(bf16 value) { return std::bit_cast<float>(uint32_t{value} << 16); }

/// Rounds to nearest, ties to even; NaN stays NaN. As the processor's own conversion, but for values below 1e-38, which
/// that makes 0.
inline bf16 ToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (value != value) return static_cast<bf16>(bits >> 16 | 0x40);
  return static_cast<bf16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

}  // namespace spotter::kernels
