// SPDX-License-Identifier: Apache-2.0
#include "models/whitening.h"

#include <algorithm>

namespace spotter {
namespace {

constexpr double kEpsilon = 5e-4;  // keeps what hardly varies from being blown up

/// What AddPatches does, of so few images that their patches fit well into memory.
void AddSome(const at::Tensor& images, int64_t kernel_height, int64_t kernel_width, PatchProducts& products) {
  // (N, d, patches) -> (d, N * patches)
  const at::Tensor columns = at::im2col(images, {kernel_height, kernel_width}, /*dilation=*/{1, 1}, /*padding=*/{0, 0},
                                        /*stride=*/{1, 1});
  const at::Tensor patches = columns.permute({1, 0, 2}).reshape({columns.size(1), -1}).to(at::kDouble);
  const at::Tensor sum = at::matmul(patches, patches.t());
  products.sum = products.sum.defined() ? products.sum + sum : sum;
  products.patches += patches.size(1);
}

}  // namespace

void AddPatches(const at::Tensor& images, int64_t kernel_height, int64_t kernel_width, PatchProducts& products) {
  constexpr int64_t kMostValues = 8 << 20;  // of patches at once
  const int64_t of_an_image = images[0].numel() * kernel_height * kernel_width;
  for (const at::Tensor& some : images.split(std::max<int64_t>(kMostValues / of_an_image, 1)))
    AddSome(some, kernel_height, kernel_width, products);
}

at::Tensor WhiteningRows(const PatchProducts& products) {
  const auto [values, vectors] = at::linalg_eigh(products.sum / static_cast<double>(products.patches));
  at::Tensor rows = (vectors / (values + kEpsilon).sqrt()).t().contiguous();
  // An eigenvector has no sign of its own; the library's may differ from machine to machine.
  const at::Tensor largest = rows.gather(1, rows.abs().argmax(1, /*keepdim=*/true));
  rows = rows * largest.sign();
  return at::cat({rows, -rows}).to(at::kFloat);
}

Parameter* WhiteningKernel(const Network& network) {
  const auto parameters = network.parameters();
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [](const Parameter* p) { return p->role == ParameterRole::kWhitening; });
  return found == parameters.end() ? nullptr : *found;
}

}  // namespace spotter
