// SPDX-License-Identifier: Apache-2.0
// The columns of a product's second factor lie in panels: as many of 64 as there are, then perhaps one of 32.
#pragma once

#include <cstdint>

namespace spotter::kernels {

constexpr int64_t kPanel = 64;

constexpr int64_t RoundUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
constexpr int64_t PaddedColumns(int64_t columns) { return RoundUp(columns, 32); }
constexpr int64_t Panels(int64_t columns) { return RoundUp(columns, kPanel) / kPanel; }
/// Of the panel that begins at column `first`, a multiple of 64.
constexpr int64_t PanelWidth(int64_t columns, int64_t first) {
  return PaddedColumns(columns) - first >= kPanel ? kPanel : 32;
}

}  // namespace spotter::kernels
