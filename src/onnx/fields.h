// SPDX-License-Identifier: Apache-2.0
// The messages and field numbers of onnx.proto (ONNX 1.8) that are written and read.
#pragma once

#include <protozero/types.hpp>

namespace spotter::onnx {

using FieldNumber = protozero::pbf_tag_type;

enum class ModelField : FieldNumber {
  kIrVersion = 1,
  kProducer = 2,
  kProducerVersion = 3,
  kDescription = 6,
  kGraph = 7,
  kOpset = 8,
  kMetadata = 14
};
enum class OpsetField : FieldNumber { kVersion = 2 };
enum class EntryField : FieldNumber { kKey = 1, kValue = 2 };
enum class GraphField : FieldNumber { kNode = 1, kName = 2, kConstant = 5, kInput = 11, kOutput = 12 };
enum class NodeField : FieldNumber { kInput = 1, kOutput = 2, kName = 3, kOp = 4, kAttribute = 5 };
enum class AttributeField : FieldNumber {
  kName = 1,
  kFloat = 2,
  kInt = 3,
  kString = 4,
  kFloats = 7,
  kInts = 8,
  kType = 20
};
enum class AttributeType : int32_t { kFloat = 1, kInt = 2, kString = 3, kFloats = 6, kInts = 7 };
enum class TensorField : FieldNumber { kDims = 1, kType = 2, kStrings = 6, kName = 8, kBytes = 9, kLocation = 14 };
enum class ValueField : FieldNumber { kName = 1, kType = 2 };
enum class TypeField : FieldNumber { kTensor = 1 };
enum class TensorTypeField : FieldNumber { kType = 1, kShape = 2 };
enum class ShapeField : FieldNumber { kDim = 1 };
enum class DimField : FieldNumber { kValue = 1, kName = 2 };

}  // namespace spotter::onnx
