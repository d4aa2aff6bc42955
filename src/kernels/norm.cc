// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm.h"

#include <cmath>

namespace spotter::kernels {
namespace {

float InverseDeviation(float variance, double epsilon) {
  return static_cast<float>(1 / std::sqrt(double{variance} + epsilon));
}

}  // namespace

void NormFactors(int64_t channels, const float* mean, const float* variance, const float* scale, const float* bias,
                 double epsilon, float* factor, float* shift) {
  for (int64_t c = 0; c < channels; ++c) {
    factor[c] = (scale != nullptr ? scale[c] : 1) * InverseDeviation(variance[c], epsilon);
    shift[c] = bias[c] - mean[c] * factor[c];
  }
}

void NormGradientFactors(int64_t channels, double n, const float* mean, const float* variance, double epsilon,
                         const float* factor, const float* sum, const float* sum_x, float* by_x, float* constant,
                         float* scale_gradient) {
  const auto count = static_cast<float>(n);
  for (int64_t c = 0; c < channels; ++c) {
    const float inverse = InverseDeviation(variance[c], epsilon);
    const float of_scale = sum_x[c] * inverse;
    if (scale_gradient != nullptr) scale_gradient[c] = of_scale;
    by_x[c] = -factor[c] * of_scale * inverse / count;
    constant[c] = -factor[c] * sum[c] / count - by_x[c] * mean[c];
  }
}

}  // namespace spotter::kernels
