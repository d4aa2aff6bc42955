// SPDX-License-Identifier: Apache-2.0
#include "train/backward_share.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace spotter {

std::vector<int64_t> LargestRows(const at::Tensor& gradient, double share) {
  const at::Tensor norms = gradient.square().sum(1).contiguous();
  const float* norm = norms.const_data_ptr<float>();
  std::vector<int64_t> rows(static_cast<size_t>(norms.numel()));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  const auto count = std::ceil(share * static_cast<double>(rows.size()) - 1e-9);  // 0.07 of 100 are 7
  const auto end = rows.begin() + std::min(static_cast<std::ptrdiff_t>(count), std::ssize(rows));
  std::nth_element(rows.begin(), end, rows.end(),
                   [norm](int64_t a, int64_t b) { return norm[a] != norm[b] ? norm[a] > norm[b] : a < b; });
  rows.erase(end, rows.end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace spotter
