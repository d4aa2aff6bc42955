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

/// The network has what the engine has kernels for; libtorch's layers take what they need each time.
/// Blocks of at least kLarge bytes that an epoch of two steps takes, of 48 and 32 images, when one like it went before.
int64_t LargeBlocksOfAnEpoch(at::ScalarType precision, double backward_share) {
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
  const auto run_epoch = [&](int64_t epoch) {
    step.Run(std::span(order).first(48), epoch, 0, {0.01});
    step.Run(std::span(order).subspan(48), epoch, 1, {0.01});
  };
  run_epoch(0);
  const int64_t before = large_blocks;
  run_epoch(1);
  return large_blocks - before;
}

TEST(TrainStep, TakesNoMemoryForMapsAfterTheFirst) {
  EXPECT_GT(LargeBlocksOfAnEpoch(at::kFloat, 1), 20) << "libtorch's own kernels do: they should have been counted";
  if (!Engine::RunsHere()) GTEST_SKIP() << "this processor has no AVX-512 bf16";
  EXPECT_EQ(LargeBlocksOfAnEpoch(at::kBFloat16, 1), 0);
  EXPECT_EQ(LargeBlocksOfAnEpoch(at::kBFloat16, 0.5), 0);
}

}  // namespace
}  // namespace spotter
