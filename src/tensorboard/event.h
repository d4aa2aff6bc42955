// SPDX-License-Identifier: Apache-2.0
// The events of a TensorBoard file as bytes: Event of tensorflow/core/util/event.proto. Scalars and images have the
// form that TensorFlow 1 and PyTorch's SummaryWriter give them, which TensorBoard still takes
// (tensorboard/data_compat.py).
//
// `wall_time`: seconds since 1970. Bytes of a tag or text that are not UTF-8 become U+FFFD: a reader would stop there.
#pragma once

#include <cstdint>
#include <string>

namespace spotter {

/// What a file begins with.
std::string VersionEvent(double wall_time);
/// SessionLog.START.
std::string StartEvent(double wall_time, int64_t step);
std::string ScalarEvent(double wall_time, int64_t step, const std::string& tag, float value);
/// `png`: the bytes of a PNG file of height x width pixels.
std::string ImageEvent(double wall_time, int64_t step, const std::string& tag, int height, int width,
                       const std::string& png);
/// A tensor of one string for the text plugin.
std::string TextEvent(double wall_time, int64_t step, const std::string& tag, const std::string& markdown);

}  // namespace spotter
