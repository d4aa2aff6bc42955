// SPDX-License-Identifier: Apache-2.0
// ONNX models as bytes: the protobuf messages of onnx.proto.
#pragma once

#include <string>
#include <string_view>

#include "onnx/graph.h"

namespace spotter::onnx {

/// The content of an .onnx file. Throws Error(kModel) when it would be 2 GB or more, which no reader takes.
std::string Encode(const Model& model);

/// Reads back what Encode wrote. Fields that it does not write are left out. Throws Error(kModel) when the bytes are no
/// ONNX model, or one that needs what Model has no place for: subgraphs, tensors outside of the file, other types.
Model Decode(std::string_view bytes);

}  // namespace spotter::onnx
