// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference.h"

namespace spotter::kernels {
namespace {

/// Calls visit(output, tap, input) with the places of every product's output pixel, weight tap and input pixel.
template <typename Visit>
void EachTap(const ConvShape& s, Visit visit) {
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t y = 0; y < s.conv_height(); ++y) {
      for (int64_t x = 0; x < s.conv_width(); ++x) {
        for (int64_t ky = 0; ky < s.kernel; ++ky) {
          for (int64_t kx = 0; kx < s.kernel; ++kx) {
            const int64_t row = y + ky - s.pad;
            const int64_t column = x + kx - s.pad;
            if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
            visit((n * s.conv_height() + y) * s.conv_width() + x, ky * s.kernel + kx,
                  (n * s.height + row) * s.width + column);
          }
        }
      }
    }
  }
}

int64_t ConvSize(const ConvShape& s) { return s.images * s.conv_height() * s.conv_width() * s.out; }
int64_t Taps(const ConvShape& s) { return s.kernel * s.kernel; }

/// Calls visit(x, weight, y) with the places of every product of a dense layer.
template <typename Visit>
void EachProduct(const DenseShape& s, Visit visit) {
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t o = 0; o < s.out; ++o) {
      for (int64_t i = 0; i < s.in; ++i) {
        visit(static_cast<size_t>(n * s.in + i), static_cast<size_t>(o * s.in + i), static_cast<size_t>(n * s.out + o));
      }
    }
  }
}

}  // namespace

std::vector<double> ReferenceConv(const ConvShape& s, const std::vector<float>& x, const std::vector<float>& weights,
                                  const std::vector<float>& bias) {
  std::vector<double> y(static_cast<size_t>(ConvSize(s)));
  for (size_t i = 0; i < y.size() && !bias.empty(); ++i) y[i] = bias[i % static_cast<size_t>(s.out)];
  EachTap(s, [&](int64_t output, int64_t tap, int64_t input) {
    for (int64_t o = 0; o < s.out; ++o) {
      double sum = 0;
      for (int64_t c = 0; c < s.in; ++c)
        sum += double{x[static_cast<size_t>(input * s.in + c)]} *
               weights[static_cast<size_t>((o * Taps(s) + tap) * s.in + c)];
      y[static_cast<size_t>(output * s.out + o)] += sum;
    }
  });
  return y;
}

std::vector<double> ReferenceDataGradient(const ConvShape& s, const std::vector<float>& dy,
                                          const std::vector<float>& weights) {
  std::vector<double> dx(static_cast<size_t>(s.in_size()));
  EachTap(s, [&](int64_t output, int64_t tap, int64_t input) {
    for (int64_t o = 0; o < s.out; ++o) {
      const double g = dy[static_cast<size_t>(output * s.out + o)];
      for (int64_t c = 0; c < s.in && g != 0; ++c)
        dx[static_cast<size_t>(input * s.in + c)] += g * weights[static_cast<size_t>((o * Taps(s) + tap) * s.in + c)];
    }
  });
  return dx;
}

std::vector<double> ReferenceWeightGradient(const ConvShape& s, const std::vector<float>& x,
                                            const std::vector<float>& dy) {
  std::vector<double> dw(static_cast<size_t>(s.weight_size()));
  EachTap(s, [&](int64_t output, int64_t tap, int64_t input) {
    for (int64_t o = 0; o < s.out; ++o) {
      const double g = dy[static_cast<size_t>(output * s.out + o)];
      for (int64_t c = 0; c < s.in && g != 0; ++c)
        dw[static_cast<size_t>((o * Taps(s) + tap) * s.in + c)] += g * x[static_cast<size_t>(input * s.in + c)];
    }
  });
  return dw;
}

std::vector<double> ReferenceDense(const DenseShape& s, const std::vector<float>& x, const std::vector<float>& weights,
                                   const std::vector<float>& bias) {
  std::vector<double> y(static_cast<size_t>(s.images * s.out));
  for (size_t i = 0; i < y.size() && !bias.empty(); ++i) y[i] = bias[i % bias.size()];
  EachProduct(s, [&](size_t xi, size_t wi, size_t yi) { y[yi] += double{x[xi]} * weights[wi]; });
  return y;
}

std::vector<double> ReferenceDenseDataGradient(const DenseShape& s, const std::vector<float>& dy,
                                               const std::vector<float>& weights) {
  std::vector<double> dx(static_cast<size_t>(s.images * s.in));
  EachProduct(s, [&](size_t xi, size_t wi, size_t yi) { dx[xi] += double{dy[yi]} * weights[wi]; });
  return dx;
}

std::vector<double> ReferenceDenseWeightGradient(const DenseShape& s, const std::vector<float>& x,
                                                 const std::vector<float>& dy) {
  std::vector<double> dw(static_cast<size_t>(s.out * s.in));
  EachProduct(s, [&](size_t xi, size_t wi, size_t yi) { dw[wi] += double{dy[yi]} * x[xi]; });
  return dw;
}

}  // namespace spotter::kernels
