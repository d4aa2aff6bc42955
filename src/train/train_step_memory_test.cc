// SPDX-License-Identifier: Apache-2.0
// That steps of training work in the memory that the first of them took: no map is allocated anew.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <numeric>

#include "train/train_step.h"

namespace {

constexpr size_t kLarge = 64 << 10;
std::atomic<int64_t> large_blocks = 0;

void* Counted(size_t alignment, size_t bytes) {
  if (bytes >= kLarge) ++large_blocks;
  return ::memalign(alignment, bytes);
}

}  // namespace

// What the kernels' memory (kernels/memory.h) and libtorch's tensors come from, in this program.
extern "C" void* aligned_alloc(size_t alignment, size_t bytes) noexcept { return Counted(alignment, bytes); }
extern "C" int posix_memalign(void** memory, size_t alignment, size_t bytes) noexcept {
  *memory = Counted(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

namespace spotter {
namespace {

constexpr int64_t kImages = 80;

Dataset GreyImages() {
  Dataset data;
  data.shape = {32, 32, 3};
  data.classes = {"a", "b"};
  const std::shared_ptr<uint8_t[]> pixels(new uint8_t[static_cast<size_t>(kImages * data.shape.size())]);
  for (int64_t i = 0; i < kImages * data.shape.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i >> 4);
  data.pixels = pixels;
  for (int64_t i = 0; i < kImages; ++i) data.labels.push_back(i % 2);
  return data;
}

/// Blocks of at least kLarge bytes: of a first step, and of the three that follow, the last of each two being smaller.
struct Blocks {
  int64_t first;
  int64_t later;
};
/// The network has what the engine has kernels for; libtorch's layers take what they need each time.
Blocks LargeBlocks(at::ScalarType precision, double backward_share) {
  const Dataset data = GreyImages();
  Network network(
      "conv 16 same relu, batchnorm, maxpool 2, dropout 0.2, conv 24 same nobias, maxpool 2, batchnorm noscale, gelu, "
      "skip, conv 24 same, batchnorm, add, relu, flatten, dense 8 relu, dense classes",
      {32, 32, 3}, 2);
  network.InitializeParameters(1);
  const Preprocessing preprocessing{.shape = data.shape};
  const auto optimizer = MakeOptimizer({.name = "sgd"}, network.parameters());
  TrainStep step({.data = data,
                  .preprocessing = preprocessing,
                  .network = network,
                  .optimizer = *optimizer,
                  .augmentation = {.flip = true, .shift = 2},
                  .compute = {.precision = precision, .threads = 2},
                  .backward_share = backward_share,
                  .class_weights = {}});
  std::vector<int64_t> order(kImages);
  std::iota(order.begin(), order.end(), int64_t{0});
  const std::span<const int64_t> larger = std::span(order).first(48), smaller = std::span(order).subspan(48);
  const int64_t before = large_blocks;
  step.Run(larger, 0, 0, {0.01});
  const int64_t first = large_blocks - before;
  step.Run(smaller, 0, 1, {0.01});
  step.Run(larger, 1, 0, {0.01});
  step.Run(smaller, 1, 1, {0.01});
  return {first, large_blocks - before - first};
}

TEST(TrainStep, TakesNoMemoryForMapsAfterTheFirst) {
  EXPECT_GT(LargeBlocks(at::kFloat, 1).later, 20) << "libtorch's own kernels do: they should have been counted";
  if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  for (const double share : {1.0, 0.5}) {
    const Blocks blocks = LargeBlocks(at::kBFloat16, share);
    EXPECT_GT(blocks.first, 10) << "the kernels' memory should have been counted";
    EXPECT_EQ(blocks.later, 0) << share;
  }
}

}  // namespace
}  // namespace spotter
