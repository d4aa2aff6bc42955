// SPDX-License-Identifier: Apache-2.0
#include "augment/preprocessing.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace spotter {

const std::vector<std::string>& ResizePolicyNames() {
  static const std::vector<std::string> names = {"stretch", "crop", "pad"};  // in the order of ResizePolicy
  return names;
}

const std::string& ResizePolicyName(ResizePolicy policy) { return ResizePolicyNames()[static_cast<size_t>(policy)]; }

ResizePolicy ResizePolicyFromName(const std::string& name) {
  const auto& names = ResizePolicyNames();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) Fail(ExitCode::kUsage, "'{}' is no resize policy; they are {}", name, Join(names, ", "));
  return static_cast<ResizePolicy>(found - names.begin());
}

void CheckViews(const Views& views, const ImageShape& shape) {
  if (views.count != 1 && views.count != 2 && views.count != 6)
    Fail(ExitCode::kUsage, "views is {}: expected 1, 2 or 6", views.count);
  if (!(views.below >= 0 && views.below <= 1))
    Fail(ExitCode::kUsage, "views-below is {}: expected a probability from 0 to 1", views.below);
  if (views.count == 6 && std::min(shape.height, shape.width) < 2)
    Fail(ExitCode::kUsage, "6 views move the image by a pixel: expected images of 2 pixels a side at least");
}

void MeasureNormalization(const Dataset& data, const std::vector<int64_t>& indices, Preprocessing& preprocessing) {
  const int channels = data.shape.channels;
  std::array<uint64_t, 3> sum = {};
  std::array<uint64_t, 3> squares = {};
  for (const int64_t index : indices) {
    const uint8_t* pixel = data.image(index);
    for (int64_t i = 0; i < data.shape.size(); i += channels) {
      for (int c = 0; c < channels; ++c) {
        const uint64_t value = pixel[i + c];
        sum[c] += value;
        squares[c] += value * value;
      }
    }
  }
  const double n = static_cast<double>(indices.size()) * data.shape.height * data.shape.width;
  for (int c = 0; c < channels && n > 0; ++c) {
    const double mean = static_cast<double>(sum[c]) / n;
    const double variance = static_cast<double>(squares[c]) / n - mean * mean;
    preprocessing.mean[c] = static_cast<float>(mean / 255);
    preprocessing.std[c] = variance > 1e-3 ? static_cast<float>(std::sqrt(variance) / 255) : 1.0f;
  }
}

}  // namespace spotter
