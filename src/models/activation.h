// SPDX-License-Identifier: Apache-2.0
// The activations of the layer language, with Keras' definitions and defaults. One list, in activation.cc.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <string_view>
#include <vector>

namespace spotter {

struct Activation {
  std::string name;
  at::Tensor (*apply)(at::Tensor x);  // may work in place: x must be a value that nothing else reads
};

const std::vector<Activation>& Activations();
const Activation* FindActivation(std::string_view name);  // nullptr when there is none of that name

}  // namespace spotter
