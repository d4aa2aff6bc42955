// SPDX-License-Identifier: Apache-2.0
// The plain algorithms that the kernels over maps are tested against, activations, batch norm, pools and dropout: loops
// in double, nothing else. Maps are (rows, channels) or (images, height, width, channels).
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/act.h"
#include "kernels/norm.h"
#include "kernels/pool.h"

namespace spotter::kernels {

/// act(z). GELU by the error function.
double ReferenceAct(Act act, double z);

/// act'(z). ReLU's at 0 is 0.
double ReferenceSlope(Act act, double z);

/// The mean and the biased variance of each channel.
struct Moments {
  std::vector<double> mean;
  std::vector<double> variance;
};
Moments ReferenceMoments(const RowShape& shape, const std::vector<float>& x);

/// z = x * factor + shift, factor and shift (channels).
std::vector<double> ReferenceScaleShift(const RowShape& shape, const std::vector<float>& x,
                                        const std::vector<float>& factor, const std::vector<float>& shift);

/// The sum of each channel.
std::vector<double> ReferenceSums(const RowShape& shape, const std::vector<double>& values);

/// (images, out_height, out_width, channels): each window's maximum, of values that are numbers. place: where it was in
/// reading order, of equal values the first.
std::vector<double> ReferenceMaxPool(const PoolShape& shape, const std::vector<double>& x, std::vector<uint8_t>& place);

/// dy at the maxima, 0 elsewhere: (images, height, width, channels).
std::vector<double> ReferenceMaxPoolGradient(const PoolShape& shape, const std::vector<double>& dy,
                                             const std::vector<uint8_t>& place);

/// Whether Dropout drops value i: m(m(low) ^ high) is below rate * (2^32 - 1), where m is lowbias32 (Chris Wellons'
/// integer hash), low is i ^ seed in 32 bits, and high is the sum of their upper halves.
bool ReferenceIsDropped(int64_t i, double rate, uint64_t seed);

}  // namespace spotter::kernels
