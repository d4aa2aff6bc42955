// SPDX-License-Identifier: Apache-2.0
// The images of a batch that its backward pass is for, when it is not for all of them.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

namespace spotter {

/// Brings them to the front of each map: those that lie behind take the places of images that are not kept, so that as
/// little as possible moves.
class KeptImages {
 public:
  /// `kept`: numbers of images below `images`, each once, ascending.
  KeptImages(int64_t images, std::span<const int64_t> kept);

  int64_t images() const { return images_; }
  int64_t count() const { return order_.size(0); }
  /// Which image lies at each of the first count() places: (count) int64.
  const at::Tensor& order() const { return order_; }

  /// To the front of `values` (images, ...), `size` of them in all. Each stays at its own place as well; the other
  /// images are anything. Null: nothing.
  template <typename T>
  void Gather(T* values, int64_t size) const {
    Move(values, size / images_ * static_cast<int64_t>(sizeof(T)), /*back=*/false);
  }
  /// To the front of `to`, which has room for count() images, from all images' `size` values, which stay as they are.
  template <typename T>
  void Copy(const T* from, T* to, int64_t size) const {
    CopyBytes(from, to, size / images_ * static_cast<int64_t>(sizeof(T)));
  }
  /// From the front back to their own places; the other images are anything.
  template <typename T>
  void Scatter(T* values, int64_t size) const {
    Move(values, size / images_ * static_cast<int64_t>(sizeof(T)), /*back=*/true);
  }

 private:
  struct Place {
    int64_t own;
    int64_t front;
  };
  void Move(void* values, int64_t bytes_of_image, bool back) const;
  void CopyBytes(const void* from, void* to, int64_t bytes_of_image) const;

  int64_t images_;
  at::Tensor order_;
  std::vector<Place> moved_;
};

}  // namespace spotter
