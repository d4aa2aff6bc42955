// SPDX-License-Identifier: Apache-2.0
// The sum of two maps; for processors that CpuHasAvx512Bf16() says yes to.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"

namespace spotter::kernels {

/// y = a + b, in fp32, rounded once. y may be a or b.
void AddMaps(int64_t values, const bf16* a, const bf16* b, bf16* y, int threads);

}  // namespace spotter::kernels
