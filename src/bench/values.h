// SPDX-License-Identifier: Apache-2.0
// What the kernels' cases have in common: random maps, and libtorch's activations.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <string>

#include "engine/buffer.h"
#include "kernels/act.h"
#include "kernels/bf16.h"
#include "kernels/pool.h"

namespace spotter {

/// Normal bf16 values (images, height, width, channels), in memory as the engine has them (huge pages), and as a tensor
/// (images, channels, height, width) on the same memory.
class RandomMap {
 public:
  RandomMap(int64_t images, int64_t height, int64_t width, int64_t channels) : sizes_{images, height, width, channels} {
    buffer_.Get(images * height * width * channels);
    tensor().copy_(at::randn({images, channels, height, width}));
  }
  kernels::bf16* data() const { return buffer_.data(); }
  at::Tensor tensor() const {
    return at::from_blob(buffer_.data(), sizes_, at::TensorOptions().dtype(at::kBFloat16)).permute({0, 3, 1, 2});
  }
  at::Tensor As(at::ScalarType type) const { return tensor().to(type); }  // of bf16 the tensor itself

 private:
  std::array<int64_t, 4> sizes_;
  Buffer<kernels::bf16> buffer_;
};

inline std::string ActName(kernels::Act act) {
  static constexpr const char* kNames[] = {"", "relu", "gelu", "silu"};
  return kNames[static_cast<int>(act)];
}
inline std::string ActSuffix(kernels::Act act) { return act == kernels::Act::kNone ? "" : " + " + ActName(act); }

inline at::Tensor Activate(at::Tensor z, kernels::Act act) {
  if (act == kernels::Act::kRelu) return z.relu_();
  if (act == kernels::Act::kGelu) return at::gelu(z);
  if (act == kernels::Act::kSilu) return at::silu(z);
  return z;
}

/// Where at::max_pool2d_with_indices would say that the maxima of square windows side by side were, (images, channels,
/// out_height, out_width) -> y * width + x. place(pixel, c): where in its window, in reading order; pixels are counted
/// through all images.
template <typename Place>
at::Tensor PoolIndices(const kernels::PoolShape& s, const Place& place) {
  const int64_t height = s.out_height();
  const int64_t width = s.out_width();
  at::Tensor indices = at::empty({s.images, height, width, s.channels}, at::kLong);
  int64_t* index = indices.data_ptr<int64_t>();
  for (int64_t pixel = 0; pixel < s.images * height * width; ++pixel) {
    const int64_t top = pixel / width % height * s.size;
    const int64_t left = pixel % width * s.size;
    for (int64_t c = 0; c < s.channels; ++c) {
      const int64_t at = place(pixel, c);
      *index++ = (top + at / s.size) * s.width + left + at % s.size;
    }
  }
  return indices.permute({0, 3, 1, 2});
}

/// From places as the pool kernels write them (kernels/pool.h).
inline at::Tensor IndicesOfPlaces(const kernels::PoolShape& s, const uint8_t* places) {
  return PoolIndices(s, [&](int64_t pixel, int64_t c) { return places[pixel * s.channels + c]; });
}

/// dy * act'(z)
inline at::Tensor Derive(const at::Tensor& dy, const at::Tensor& z, kernels::Act act) {
  if (act == kernels::Act::kRelu) return at::threshold_backward(dy, z, 0);
  if (act == kernels::Act::kGelu) return at::gelu_backward(dy, z);
  if (act == kernels::Act::kSilu) return at::silu_backward(dy, z);
  return dy;
}

}  // namespace spotter
