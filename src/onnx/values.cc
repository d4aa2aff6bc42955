// SPDX-License-Identifier: Apache-2.0
#include "onnx/values.h"

#include <cstring>
#include <utility>

#include "base/error.h"

namespace spotter::onnx {
namespace {

constexpr std::pair<Type, at::ScalarType> kTypes[] = {
    {Type::kFloat, at::kFloat}, {Type::kUint8, at::kByte}, {Type::kInt8, at::kChar},     {Type::kInt32, at::kInt},
    {Type::kInt64, at::kLong},  {Type::kBool, at::kBool},  {Type::kDouble, at::kDouble},
};

}  // namespace

size_t SizeOf(Type type) {
  for (const auto& [onnx, torch] : kTypes) {
    if (onnx == type) return c10::elementSize(torch);
  }
  return 0;
}

at::ScalarType ScalarTypeOf(Type type) {
  for (const auto& [onnx, torch] : kTypes) {
    if (onnx == type) return torch;
  }
  Fail(ExitCode::kModel, "texts are not computed");
}

at::Tensor ToTensor(const Tensor& constant) {
  if (constant.type == Type::kString) Fail(ExitCode::kModel, "'{}' holds texts, which are not computed", constant.name);
  at::Tensor tensor = at::empty(constant.dims, at::TensorOptions().dtype(ScalarTypeOf(constant.type)));
  std::memcpy(tensor.data_ptr(), constant.bytes.data(), constant.bytes.size());
  return tensor;
}

Tensor ToConstant(const std::string& name, const at::Tensor& values) {
  const at::Tensor held = values.detach().to(at::kCPU).contiguous();
  for (const auto& [onnx, torch] : kTypes) {
    if (torch == held.scalar_type())
      return {name, onnx, held.sizes().vec(),
              std::string(static_cast<const char*>(held.const_data_ptr()), held.nbytes())};
  }
  Fail(ExitCode::kInternal, "no ONNX constants of type {}", at::toString(held.scalar_type()));
}

}  // namespace spotter::onnx
