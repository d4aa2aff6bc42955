// SPDX-License-Identifier: Apache-2.0
#include "engine/kept_images.h"

#include <ATen/Parallel.h>

#include <cstring>

namespace spotter {

KeptImages::KeptImages(int64_t images, std::span<const int64_t> kept)
    : images_(images), order_(at::empty({static_cast<int64_t>(kept.size())}, at::kLong)) {
  auto* order = order_.data_ptr<int64_t>();
  size_t next = 0;          // of the kept that lie in front, by number
  auto last = kept.size();  // behind the next of the others, taken from the end
  for (int64_t place = 0; place < count(); ++place) {
    const bool own = kept[next] == place;
    const int64_t image = own ? kept[next++] : kept[--last];
    order[place] = image;
    if (!own) moved_.push_back({image, place});
  }
}

void KeptImages::Move(void* values, int64_t bytes_of_image, bool back) const {
  if (values == nullptr) return;
  auto* bytes = static_cast<char*>(values);
  at::parallel_for(0, static_cast<int64_t>(moved_.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      char* own = bytes + moved_[static_cast<size_t>(i)].own * bytes_of_image;
      char* front = bytes + moved_[static_cast<size_t>(i)].front * bytes_of_image;
      std::memcpy(back ? own : front, back ? front : own, static_cast<size_t>(bytes_of_image));
    }
  });
}

void KeptImages::CopyBytes(const void* from, void* to, int64_t bytes_of_image) const {
  const auto* order = order_.const_data_ptr<int64_t>();
  at::parallel_for(0, count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; ++place) {
      std::memcpy(static_cast<char*>(to) + place * bytes_of_image,
                  static_cast<const char*>(from) + order[place] * bytes_of_image, static_cast<size_t>(bytes_of_image));
    }
  });
}

}  // namespace spotter
