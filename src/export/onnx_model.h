// SPDX-License-Identifier: Apache-2.0
// A model as ONNX: from the bytes of decoded images to probabilities and names of classes.
//
// input   image          uint8 (N, height, width, channels), images of any one size, RGB or grey as the model's
// outputs probabilities  fp32 (N, classes): softmax(logits / temperature)
//         label          text (N): the most probable class
//         logits         fp32 (N, classes), of all the model's views
// Inside: the resize of training, normalisation, views, temperature, names. Opset 13, IR version 7 (ONNX 1.8, 2020).
#pragma once

#include <functional>
#include <span>

#include "data/dataset.h"
#include "model_file/model_file.h"
#include "onnx/graph.h"

namespace spotter {

onnx::Model ToOnnx(const Model& model);

/// The same in 8-bit integers (int8.h), calibrated on images of a data set of the model's shape: training images, best,
/// some hundreds. `progress` is told the images done, of so many.
onnx::Model ToOnnxInt8(const Model& model, const Dataset& data, std::span<const int64_t> indices,
                       const std::function<void(int64_t done, int64_t total)>& progress = {});

/// Images of a data set as the graph takes them: (N, H, W, C), uint8.
at::Tensor RawImages(const Dataset& data, std::span<const int64_t> indices);

}  // namespace spotter
