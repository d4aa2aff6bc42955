// SPDX-License-Identifier: Apache-2.0
// The activations that kernels take in.
#pragma once

namespace spotter::kernels {

/// All hand NaN on. gelu: x * Phi(x), by polynomials: its absolute error is below 1e-5 (1e-6 z beyond 5), that of its
/// derivative below 1.5e-5; bf16 rounds values near 1 by 4e-3.
enum class Act { kNone, kRelu, kGelu, kSilu };

/// Activations whose slope takes longer to compute than a value to write and read.
constexpr bool IsSmooth(Act act) { return act == Act::kGelu || act == Act::kSilu; }

}  // namespace spotter::kernels
