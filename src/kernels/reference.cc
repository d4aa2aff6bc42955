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

std::vector<double> ReferencePool(const ConvShape& s, const std::vector<double>& y, std::vector<int>& where) {
  std::vector<double> pooled;
  where.clear();
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t row = 0; row < s.conv_height() / 2; ++row) {
      for (int64_t column = 0; column < s.conv_width() / 2; ++column) {
        for (int64_t o = 0; o < s.out; ++o) {
          double largest = 0;
          int place = -1;
          for (int i = 0; i < 4; ++i) {
            const int64_t pixel = (n * s.conv_height() + 2 * row + i / 2) * s.conv_width() + 2 * column + i % 2;
            const double value = y[static_cast<size_t>(pixel * s.out + o)];
            if (place >= 0 && value <= largest) continue;
            largest = value;
            place = i;
          }
          pooled.push_back(largest);
          where.push_back(place);
        }
      }
    }
  }
  return pooled;
}

std::vector<float> ReferenceUnpool(const ConvShape& s, const std::vector<float>& dy, const std::vector<int>& where) {
  std::vector<float> all(static_cast<size_t>(ConvSize(s)));
  size_t i = 0;
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t row = 0; row < s.conv_height() / 2; ++row) {
      for (int64_t column = 0; column < s.conv_width() / 2; ++column) {
        for (int64_t o = 0; o < s.out; ++o, ++i) {
          const int64_t pixel =
              (n * s.conv_height() + 2 * row + where[i] / 2) * s.conv_width() + 2 * column + where[i] % 2;
          all[static_cast<size_t>(pixel * s.out + o)] = dy[i];
        }
      }
    }
  }
  return all;
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

}  // namespace spotter::kernels
