// SPDX-License-Identifier: Apache-2.0
// The cases of max pools and dropout.
#include <fmt/format.h>

#include <memory>

#include "bench/kernel_case.h"
#include "bench/values.h"

namespace spotter {
namespace {

using kernels::PoolShape;

/// A max pool, for both sides.
struct Pool {
  Pool(const PoolShape& s, int threads)
      : shape(s),
        threads(threads),
        window{s.size, s.size},
        x(s.images, s.height, s.width, s.channels),
        y(s.images, s.out_height(), s.out_width(), s.channels) {
    place.Get(s.out_values());
  }
  void Forward() { MaxPool(shape, x.data(), y.data(), place.data(), threads); }

  PoolShape shape;
  int threads;
  std::array<int64_t, 2> window;
  RandomMap x, y;
  Buffer<uint8_t> place;
};

KernelCase Case(const char* kernel, const PoolShape& s, std::function<KernelCalls()> make) {
  const auto in = static_cast<double>(s.images * s.height * s.width * s.channels);
  const auto out = static_cast<double>(s.out_values());
  return {.kernel = kernel,
          .shape = fmt::format("{}x{}x{}, window {}", s.height, s.width, s.channels, s.size),
          .images = s.images,
          .bytes = 2 * in + 3 * out,  // values, and the place of each maximum
          .make = std::move(make)};
}

}  // namespace

KernelCase MaxPoolCase(const PoolShape& shape, int threads) {
  return Case("max pool", shape, [=]() -> KernelCalls {
    const auto p = std::make_shared<Pool>(shape, threads);
    const auto ours = [=] {
      p->Forward();
      return p->y.tensor();
    };
    return {ours, [=](at::ScalarType type) {
              return std::get<0>(at::max_pool2d_with_indices(p->x.As(type), p->window, p->window));
            }};
  });
}

KernelCase MaxPoolGradientCase(const PoolShape& shape, int threads) {
  return Case("max pool, gradient", shape, [=]() -> KernelCalls {
    const auto p = std::make_shared<Pool>(shape, threads);
    const auto dx = std::make_shared<RandomMap>(shape.images, shape.height, shape.width, shape.channels);
    p->Forward();
    const at::Tensor where = IndicesOfPlaces(shape, p->place.data());
    const auto ours = [=] {
      MaxPoolGradient(shape, p->y.data(), p->place.data(), dx->data(), threads);
      return dx->tensor();
    };
    const auto libtorch = [=](at::ScalarType type) {
      return at::max_pool2d_with_indices_backward(p->y.As(type), p->x.As(type), p->window, p->window, {0, 0}, {1, 1},
                                                  false, where);
    };
    return {ours, libtorch};
  });
}

KernelCase DropoutCase(int64_t images, int64_t features, double rate, int threads) {
  const auto make = [=]() -> KernelCalls {
    const auto x = std::make_shared<RandomMap>(images, 1, 1, features);
    const auto y = std::make_shared<RandomMap>(images, 1, 1, features);
    const auto ours = [=] {
      kernels::Dropout(images * features, x->data(), rate, /*seed=*/1, y->data(), threads);
      return y->tensor();
    };
    return {ours,
            [=](at::ScalarType type) { return std::get<0>(at::native_dropout(x->As(type), rate, /*train=*/true)); }};
  };
  return {.kernel = "dropout",
          .shape = fmt::format("{} values, rate {}", features, rate),
          .images = images,
          .bytes = 4.0 * static_cast<double>(images * features),
          .random = true,
          .make = make};
}

}  // namespace spotter
