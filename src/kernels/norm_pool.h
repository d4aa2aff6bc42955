// SPDX-License-Identifier: Apache-2.0
// Batch normalisation with a max pool behind it in one pass: the normalised map is never written, and most of what its
// backward pass needs is of the pool's size. For processors that CpuHasAvx512Bf16() says yes to.
#pragma once

#include <cstdint>

#include "kernels/bf16.h"
#include "kernels/norm.h"
#include "kernels/pool.h"

namespace spotter::kernels {

/// y = the maximum of act(x * factor + shift) over each window of shape.size x shape.size; factor, shift (channels),
/// act kNone or kRelu. best: x at the maximum; place: where in its window it was, in reading order, of equal values the
/// first; both as large as y, or null.
void NormMaxPool(const PoolShape& shape, const bf16* x, const float* factor, const float* shift, Act act, bf16* y,
                 bf16* best, uint8_t* place, int threads);

/// dx = x * by_x + constant and, at the maxima, + dy * act'(best * factor + shift) * factor: the gradient of the above
/// through batch statistics, whose by_x and constant (channels) follow from GradientSums of `best` and dy. dx is as
/// large as x.
void NormMaxPoolGradient(const PoolShape& shape, const bf16* x, const bf16* dy, const bf16* best, const uint8_t* place,
                         const float* factor, const float* shift, const float* by_x, const float* constant, Act act,
                         bf16* dx, int threads);

}  // namespace spotter::kernels
