// SPDX-License-Identifier: Apache-2.0
// Batch normalisation and activations over maps seen as (rows, channels) bf16, rows being all pixels of all images.
//
// Ioffe & Szegedy, "Batch Normalization" (2015): z = (x - mean) / sqrt(variance + epsilon) * scale + shift; the mean
// and the (biased) variance are those of the batch. The activation follows in the same pass, and is undone in the same
// pass backwards. Sums are fp32 over 32 rows, double beyond; their order depends on the number of threads alone. For
// processors that CpuHasAvx512Bf16() says yes to.
#pragma once

#include <cstdint>

#include "kernels/act.h"
#include "kernels/bf16.h"
#include "kernels/scratch.h"

namespace spotter::kernels {

struct RowShape {
  int64_t rows = 0;
  int64_t channels = 0;
};

/// mean, variance (channels), biased, of x.
void ChannelMoments(const RowShape& shape, const bf16* x, float* mean, float* variance, Scratch& scratch);

/// The factor and shift of z, from moments, scale (null for 1) and bias, each of `channels` values.
void NormFactors(int64_t channels, const float* mean, const float* variance, const float* scale, const float* bias,
                 double epsilon, float* factor, float* shift);

/// y = act(x * factor + shift); factor (channels) may be null for 1, shift for 0. y may be x.
void ScaleShiftAct(const RowShape& shape, const bf16* x, const float* factor, const float* shift, Act act, bf16* y,
                   Scratch& scratch);

/// What the backward pass of z = x * factor + shift, y = act(z) sums up for each channel: dz and dz * (x - mean), where
/// dz = dy * act'(z). Null factor, shift and mean count as 1, 0, 0. sum_x may be null. `dz` is written where it isn't
/// null; it may be dy.
void GradientSums(const RowShape& shape, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                  const float* mean, Act act, float* sum, float* sum_x, bf16* dz, Scratch& scratch);

/// From those sums to what ActGradient takes: dx = factor * (dz - mean(dz) - z0 * mean(dz * z0)), sorted by x. z0 is
/// the normalised x; the means are over n rows. by_x may be sum_x. scale_gradient, the sums of dz
/// * z0, may be null.
void NormGradientFactors(int64_t channels, double n, const float* mean, const float* variance, double epsilon,
                         const float* factor, const float* sum, const float* sum_x, float* by_x, float* constant,
                         float* scale_gradient);

/// dx = dz * factor + x * by_x + constant, dz as above; the last two (channels) may be null for 0. dx may be dy.
void ActGradient(const RowShape& shape, const bf16* x, const bf16* dy, const float* factor, const float* shift,
                 const float* by_x, const float* constant, Act act, bf16* dx, Scratch& scratch);

/// For an activation whose output alone is known, ReLU: dz = dy where y > 0, else 0, in place, and its sums over the
/// rows (the bias's gradient).
void ReluGradient(const RowShape& shape, const bf16* y, bf16* dy, float* sum, Scratch& scratch);

}  // namespace spotter::kernels
