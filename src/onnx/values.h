// SPDX-License-Identifier: Apache-2.0
// ONNX constants as tensors of libtorch, and back.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "onnx/graph.h"

namespace spotter::onnx {

/// Throws Error(kModel) for kString, which has no tensors.
at::ScalarType ScalarTypeOf(Type type);

/// A tensor of its own memory. Throws Error(kModel) for kString.
at::Tensor ToTensor(const Tensor& constant);

/// A contiguous copy. Throws Error(kInternal) for a type that graph.h does not have.
Tensor ToConstant(const std::string& name, const at::Tensor& values);

}  // namespace spotter::onnx
